import platform
import resource
import subprocess
import sys

import pytest

from musicae.errors import MusicaeError
from musicae.memory import VARIABLE, check_memory, memory_limit


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("", 10**9),
        ("4G", 4 * 10**9),
        ("800m", 8 * 10**8),
        ("1.5 GB", 15 * 10**8),
        ("2GiB", 2 * 10**9),
        ("12345", 12345),
    ],
)
def test_the_limit_is_a_gigabyte_or_what_the_environment_says(monkeypatch, text, size):
    monkeypatch.setenv(VARIABLE, text)
    assert memory_limit() == size


@pytest.mark.parametrize("text", ["much", "-1G", "4X", "1e9", "9" * 100, "G"])
def test_what_is_no_size_is_told(monkeypatch, text):
    monkeypatch.setenv(VARIABLE, text)
    with pytest.raises(MusicaeError, match="must be a size such as 4G"):
        memory_limit()


def test_more_than_the_limit_is_refused_with_the_way_to_lift_it(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    check_memory(10**9, "a.wav")
    with pytest.raises(
        MusicaeError, match=r"^a\.wav takes 2\.5 GB of memory, the limit is 1 GB; set MUSICAE_MEMORY=3G"
    ):
        check_memory(2_500_000_000, "a.wav")
    monkeypatch.setenv(VARIABLE, "3G")
    check_memory(2_500_000_000, "a.wav")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has this setting")
def test_freed_memory_is_kept_and_used_again():
    program = """
import resource, sys
from musicae.memory import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    bytearray(50_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    faults = {
        how: int(subprocess.run([sys.executable, "-c", program, how], capture_output=True, check=True).stdout)
        for how in ("keep", "return")
    }
    once = 50_000_000 // resource.getpagesize()
    assert faults["keep"] < 3 * once < 10 * once < faults["return"]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has this function")
def test_free_memory_goes_back_to_the_system():
    program = """
from pathlib import Path
from musicae.memory import give_back, keep_freed_memory
keep_freed_memory()
pieces = [bytearray(1_000_000) for _ in range(50)]
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])
before = resident()
del pieces
give_back()
print(before - resident())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert int(done.stdout) * resource.getpagesize() > 40_000_000
