"""Files of notes: MIDI and ABC, their bars and parts, and their sound."""
