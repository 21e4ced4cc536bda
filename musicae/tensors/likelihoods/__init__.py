"""Likelihoods: they turn a decoder's output into a distribution and a loss.

All are over ``(B, C, *S)``; `nll` sums over everything but the batch, in nats. Each is in the file of its name.
"""

from musicae.tensors.likelihoods.bernoulli import Bernoulli
from musicae.tensors.likelihoods.categorical import Categorical
from musicae.tensors.likelihoods.gaussian import Gaussian
from musicae.tensors.likelihoods.joint import Joint
from musicae.tensors.likelihoods.laplace import Laplace
from musicae.tensors.likelihoods.log_spectral import LogSpectral
from musicae.tensors.likelihoods.spectral import Spectral

__all__ = ["Bernoulli", "Categorical", "Gaussian", "Joint", "Laplace", "LogSpectral", "Spectral"]
