"""`request.cf`: what the platform's edge knows of a client. Fixed values, those of the platform's own local server."""

from __future__ import annotations

from typing import Any

from .headers import Pairs, find

_NO_CERTIFICATE = {
    "certPresented": "0",
    "certVerified": "NONE",
    "certRevoked": "0",
    **dict.fromkeys(
        (
            "certIssuerDN",
            "certSubjectDN",
            "certIssuerDNRFC2253",
            "certSubjectDNRFC2253",
            "certIssuerDNLegacy",
            "certSubjectDNLegacy",
            "certSerial",
            "certIssuerSerial",
            "certSKI",
            "certIssuerSKI",
            "certFingerprintSHA1",
            "certFingerprintSHA256",
            "certNotBefore",
            "certNotAfter",
        ),
        "",
    ),
}
_CF = {
    "asOrganization": "",
    "asn": 395747,
    "colo": "DFW",
    "city": "Austin",
    "region": "Texas",
    "regionCode": "TX",
    "metroCode": "635",
    "postalCode": "78701",
    "country": "US",
    "continent": "NA",
    "timezone": "America/Chicago",
    "latitude": "30.27130",
    "longitude": "-97.74260",
    "clientTcpRtt": 0,
    "httpProtocol": "HTTP/1.1",
    "requestPriority": "weight=192;exclusive=0",
    "tlsCipher": "AEAD-AES128-GCM-SHA256",
    "tlsVersion": "TLSv1.3",
    "tlsClientAuth": _NO_CERTIFICATE,
    "edgeRequestKeepAliveStatus": 0,
    "clientTrustScore": 99,
    "botManagement": {
        "score": 99,
        "verifiedBot": False,
        "corporateProxy": False,
        "staticResource": False,
        "detectionIds": [],
    },
}


def cf_of(pairs: Pairs) -> dict[str, Any]:
    """The object for a request with these headers."""
    return {**_CF, "clientAcceptEncoding": find(pairs, "accept-encoding") or ""}
