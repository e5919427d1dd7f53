"""G.711 by table lookup. (The standard library's `audioop` left in Python 3.13.)"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pcm: TypeAlias = NDArray[np.int16]
Law: TypeAlias = Literal["PCMU", "PCMA"]

_MU_BIAS = 0x84  # ITU-T G.711: added before the segment is looked for
_MU_CLIP = 32_635


def _mu_decode() -> Pcm:
    code = ~np.arange(256) & 0xFF
    exponent = (code >> 4) & 7
    value = (((code & 0x0F) << 3) + _MU_BIAS << exponent) - _MU_BIAS
    return np.where(code & 0x80, -value, value).astype(np.int16)


def _a_decode() -> Pcm:
    code = np.arange(256) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, (code & 0x0F) << 4
    value = np.where(exponent == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, value, -value).astype(np.int16)


def _mu_encode() -> NDArray[np.uint8]:
    sample = np.arange(65_536).astype(np.uint16).view(np.int16).astype(np.int32)
    value = np.minimum(np.abs(sample), _MU_CLIP) + _MU_BIAS
    exponent = np.floor(np.log2(value)).astype(np.int32) - 7
    mantissa = (value >> (exponent + 3)) & 0x0F
    code: NDArray[np.uint8] = (~(np.where(sample < 0, 0x80, 0) | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return code


def _a_encode() -> NDArray[np.uint8]:
    sample = np.arange(65_536).astype(np.uint16).view(np.int16).astype(np.int32)
    value = np.where(sample >= 0, sample, -sample - 1)  # one's complement: -1 belongs to the lowest step
    exponent = np.maximum(np.floor(np.log2(np.maximum(value, 1))).astype(np.int32) - 7, 0)
    mantissa = (value >> np.where(exponent == 0, 4, exponent + 3)) & 0x0F
    code: NDArray[np.uint8] = ((np.where(sample >= 0, 0x80, 0) | (exponent << 4) | mantissa) ^ 0x55).astype(np.uint8)
    return code


_DECODE: Final = {"PCMU": _mu_decode(), "PCMA": _a_decode()}
_ENCODE: Final = {"PCMU": _mu_encode(), "PCMA": _a_encode()}


def encode(samples: Pcm, law: Law) -> bytes:
    return _ENCODE[law][samples.view(np.uint16)].tobytes()


def decode(data: bytes, law: Law) -> Pcm:
    return _DECODE[law][np.frombuffer(data, np.uint8)]
