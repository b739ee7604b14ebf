"""Separate keys for separate purposes, all derived from SECRET_KEY (and its predecessor, for reading)."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def _derive(secret: str, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret.encode())


class Signer:
    """HMAC-SHA-256 for one purpose; signs with the first secret, accepts a signature of any."""

    def __init__(self, secrets: tuple[str, ...], purpose: str) -> None:
        self._keys = [_derive(secret, purpose) for secret in secrets]

    def sign(self, message: bytes) -> bytes:
        return hmac.digest(self._keys[0], message, hashlib.sha256)

    def verify(self, message: bytes, signature: bytes) -> bool:
        return any(hmac.compare_digest(hmac.digest(key, message, hashlib.sha256), signature) for key in self._keys)


class Sealer:
    """Encrypts short texts for one purpose (Fernet); reads what any of the secrets sealed."""

    def __init__(self, secrets: tuple[str, ...], purpose: str) -> None:
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(secret, purpose))) for secret in secrets])

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Raises ValueError where it was sealed with another key or altered."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise ValueError("sealed with another key, or altered") from None
