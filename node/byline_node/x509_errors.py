"""What the package cryptography raises over bytes that are no certificate.

Rule: in one place, as fuzzing found them (tests/fuzz); import it where a missing
package is told as the extra that is missing.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

BAD_BYTES = (
    ValueError,
    KeyError,
    OverflowError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
