"""`js.crypto`: known answers, the round trips of every algorithm, and the platform's names of what goes wrong."""

import sys

import pytest

from emulator.sdk.js import Object, TextEncoder, Uint8Array, crypto
from emulator.sdk.pyodide.ffi import JsException, to_js

subtle = crypto.subtle
TEXT = b"a content of more than one block, for sure"


def obj(**members):
    """What a worker writes as `to_js({...}, dict_converter=Object.fromEntries)`."""
    return to_js(members, dict_converter=Object.fromEntries)


def data(content):
    return to_js(bytes(content))


def secret(content, algorithm, *usages, extractable=False):
    return subtle.importKey("raw", data(content), algorithm, extractable, to_js(list(usages)))


async def named(promise):
    """The name of the error that a promise ends in."""
    with pytest.raises(JsException) as caught:
        await promise
    return caught.value.name


HMAC = obj(name="HMAC", hash="SHA-256")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SHA-1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
        ("sha-256", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        ("MD5", "0cc175b9c0f1b6a831c399e269772661"),
    ],
)
async def test_digests(name, expected):
    """
    The name of a digest is written in any case.
    """
    assert expected == (await subtle.digest(name, TextEncoder.new().encode("a"))).to_bytes().hex()


@pytest.mark.parametrize(
    ("digest", "key", "content", "expected"),
    [
        pytest.param(
            "SHA-256",
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            id="RFC 4231, case 2",
        ),
        pytest.param(
            "SHA-1",
            b"key",
            b"The quick brown fox jumps over the lazy dog",
            "de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9",
            id="a web hook of old",
        ),
    ],
)
async def test_a_web_hook_is_signed(digest, key, content, expected):
    """
    HMAC gives the known answers, and tells a good signature from a bad one.
    """
    made = await secret(key, obj(name="HMAC", hash=obj(name=digest)), "sign", "verify")
    signature = await subtle.sign("HMAC", made, data(content))

    assert expected == signature.to_bytes().hex()
    assert await subtle.verify("HMAC", made, signature, data(content))
    assert not await subtle.verify("HMAC", made, signature, data(content + b"!"))


@pytest.mark.parametrize(
    ("algorithm", "key", "bits", "expected"),
    [
        pytest.param(
            obj(name="PBKDF2", hash="SHA-1", salt=b"salt", iterations=4096),
            b"password",
            160,
            "4b007901b765489abead49d926f721d065a429c1",
            id="PBKDF2, RFC 6070",
        ),
        pytest.param(
            obj(
                name="HKDF",
                hash="SHA-256",
                salt=bytes(range(13)),
                info=bytes(range(0xF0, 0xFA)),
            ),
            b"\x0b" * 22,
            336,
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            id="HKDF, RFC 5869",
        ),
    ],
)
async def test_derived_bits(algorithm, key, bits, expected):
    """
    Passwords and secrets become bits as the standards say.
    """
    made = await secret(key, algorithm.name, "deriveBits")

    assert expected == (await subtle.deriveBits(algorithm, made, bits)).to_bytes().hex()


async def test_a_key_from_a_password():
    """
    What deriveKey makes is a key like any other: two of one password understand each other.
    """
    how = obj(name="PBKDF2", hash="SHA-256", salt=b"salt", iterations=100)
    password = await secret(b"password", "PBKDF2", "deriveKey")
    one, other = [
        await subtle.deriveKey(how, password, obj(name="AES-GCM", length=256), False, to_js(["encrypt", "decrypt"]))
        for _ in range(2)
    ]
    sealed = await subtle.encrypt(obj(name="AES-GCM", iv=bytes(12)), one, data(TEXT))

    assert TEXT == (await subtle.decrypt(obj(name="AES-GCM", iv=bytes(12)), other, sealed)).to_bytes()
    assert 512 == (await subtle.deriveKey(how, password, HMAC, True, to_js(["sign"]))).algorithm.length


async def test_what_a_key_says_of_itself():
    """
    Its kind, its algorithm with all parameters, its uses; it cannot be made by hand.
    """
    key = await secret(b"x" * 16, HMAC, "sign")

    assert ("secret", False, ["sign"]) == (key.type, key.extractable, key.usages.to_py())
    assert {"name": "HMAC", "hash": {"name": "SHA-256"}, "length": 128} == key.algorithm.to_py()
    assert "[object CryptoKey]" == str(key)
    with pytest.raises(JsException, match="Illegal constructor"):
        type(key).new()


@pytest.mark.parametrize(
    ("key", "content", "options", "expected"),
    [
        pytest.param(
            "feffe9928665731c6d6a8f9467308308",
            "",
            {"name": "AES-GCM", "iv": bytes.fromhex("cafebabefacedbaddecaf888")},
            "3247184b3c4f69a44dbcd22887bbb418",
            id="GCM",
        ),
        pytest.param(
            "2b7e151628aed2a6abf7158809cf4f3c",
            "6bc1bee22e409f96e93d7e117393172a",
            {"name": "AES-CBC", "iv": bytes(range(16))},
            "7649abac8119b246cee98e9b12e9197d8964e0b149c10b7b682e6e39aaeb731c",
            id="CBC",
        ),
        pytest.param(
            "2b7e151628aed2a6abf7158809cf4f3c",
            "6bc1bee22e409f96e93d7e117393172a",
            {"name": "AES-CTR", "counter": bytes(range(0xF0, 0x100)), "length": 64},
            "874d6191b620e3261bef6864990db6ce",
            id="CTR",
        ),
    ],
)
async def test_known_ciphers(key, content, options, expected):
    """
    AES gives the published answers.
    """
    made = await secret(bytes.fromhex(key), options["name"], "encrypt")

    assert expected == (await subtle.encrypt(obj(**options), made, data(bytes.fromhex(content)))).to_bytes().hex()


CIPHERS = [
    {"name": "AES-GCM", "iv": bytes(12), "additionalData": b"for Ada", "tagLength": 96},
    {"name": "AES-CBC", "iv": bytes(16)},
    {"name": "AES-CTR", "counter": b"\xff" * 16, "length": 8},
]


@pytest.mark.parametrize("options", CIPHERS, ids=lambda options: options["name"])
async def test_ciphers_there_and_back(options):
    """
    What one key seals it opens, also where the counter begins anew in the middle.
    """
    made = await subtle.generateKey(obj(name=options["name"], length=256), True, to_js(["encrypt", "decrypt"]))
    sealed = await subtle.encrypt(obj(**options), made, data(TEXT))

    assert TEXT != sealed.to_bytes()
    assert TEXT == (await subtle.decrypt(obj(**options), made, sealed)).to_bytes()
    assert 256 == made.algorithm.length


async def test_what_was_changed_is_not_opened():
    """
    Another additionalData, a changed byte or wrong padding end in an OperationError.
    """
    key = await subtle.generateKey(obj(name="AES-GCM", length=128), True, to_js(["encrypt", "decrypt"]))
    sealed = await subtle.encrypt(obj(name="AES-GCM", iv=bytes(12)), key, data(TEXT))
    cbc = await secret(bytes(16), "AES-CBC", "decrypt")

    assert "OperationError" == await named(
        subtle.decrypt(obj(name="AES-GCM", iv=bytes(12), additionalData=b"x"), key, sealed)
    )
    assert "OperationError" == await named(subtle.decrypt(obj(name="AES-GCM", iv=bytes(12)), key, data(b"short")))
    assert "OperationError" == await named(subtle.decrypt(obj(name="AES-CBC", iv=bytes(16)), cbc, data(bytes(16))))
    assert "OperationError" == await named(subtle.decrypt(obj(name="AES-CBC", iv=bytes(3)), cbc, data(bytes(16))))


RSA = {"modulusLength": 2048, "publicExponent": b"\1\0\1", "hash": "SHA-256"}
SIGNERS = [
    pytest.param({"name": "RSASSA-PKCS1-v1_5", **RSA}, {}, id="RSASSA-PKCS1-v1_5"),
    pytest.param({"name": "RSA-PSS", **RSA}, {"saltLength": 32}, id="RSA-PSS"),
    pytest.param({"name": "ECDSA", "namedCurve": "P-256"}, {"hash": "SHA-256"}, id="ECDSA P-256"),
    pytest.param({"name": "ECDSA", "namedCurve": "P-521"}, {"hash": "SHA-512"}, id="ECDSA P-521"),
    pytest.param({"name": "Ed25519"}, {}, id="Ed25519"),
]


async def test_a_salt_that_is_too_long_for_the_key_is_refused():
    """
    Signing ends in an OperationError, as for all that an algorithm cannot do.
    """
    pair = await subtle.generateKey(obj(name="RSA-PSS", **RSA), True, to_js(["sign", "verify"]))

    assert "OperationError" == await named(
        subtle.sign(obj(name="RSA-PSS", saltLength=4000), pair.privateKey, data(TEXT))
    )


@pytest.mark.parametrize("export", ["jwk", "der"])
@pytest.mark.parametrize(("algorithm", "options"), SIGNERS)
async def test_signatures_by_a_pair_of_keys(algorithm, options, export):
    """
    The private key signs, the public one verifies, and both do when they have been exported and imported.
    """
    asked = obj(**algorithm)
    pair = await subtle.generateKey(asked, True, to_js(["sign", "verify"]))
    formats = ("jwk", "jwk") if export == "jwk" else ("pkcs8", "spki")
    halves = (pair.privateKey, "sign"), (pair.publicKey, "verify")
    private, public = [
        await subtle.importKey(form, await subtle.exportKey(form, half), asked, True, to_js([use]))
        for form, (half, use) in zip(formats, halves, strict=True)
    ]
    how = obj(name=algorithm["name"], **options)
    signature = await subtle.sign(how, private, data(TEXT))

    assert (["sign"], ["verify"]) == (pair.privateKey.usages.to_py(), pair.publicKey.usages.to_py())
    assert await subtle.verify(how, public, signature, data(TEXT))
    assert await subtle.verify(how, pair.publicKey, signature, data(TEXT))
    assert not await subtle.verify(how, public, signature, data(TEXT[1:]))
    assert not await subtle.verify(how, public, data(b"short"), data(TEXT))


async def test_the_signature_of_a_chat():
    """
    Ed25519 gives the published answer, with a key from its raw bytes.
    """
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    key = await secret(public, "ed25519", "verify", extractable=True)

    assert await subtle.verify("Ed25519", key, data(signature), data(b"\x72"))
    assert public == (await subtle.exportKey("raw", key)).to_bytes()


@pytest.mark.parametrize("algorithm", [{"name": "ECDH", "namedCurve": "P-384"}, {"name": "X25519"}])
async def test_two_sides_share_a_secret(algorithm):
    """
    Each derives it from its own private and the other's public key, all of it or the first bits.
    """
    here, there = [await subtle.generateKey(obj(**algorithm), True, to_js(["deriveBits"])) for _ in range(2)]
    raw = await subtle.exportKey("raw", there.publicKey)
    public = await subtle.importKey("raw", raw, obj(**algorithm), True, to_js([]))
    ours = Object.fromEntries([("name", algorithm["name"]), ("public", public)])
    theirs = Object.fromEntries([("name", algorithm["name"]), ("public", here.publicKey)])
    secret = (await subtle.deriveBits(ours, here.privateKey, None)).to_bytes()

    assert secret == (await subtle.deriveBits(theirs, there.privateKey)).to_bytes()
    assert secret[:16] == (await subtle.deriveBits(ours, here.privateKey, 128)).to_bytes()
    assert "OperationError" == await named(subtle.deriveBits(ours, here.privateKey, 4096))


@pytest.mark.parametrize(
    ("wrapping", "form"),
    [
        pytest.param({"name": "AES-KW", "length": 128}, "raw", id="AES-KW"),
        pytest.param({"name": "AES-GCM", "length": 128}, "jwk", id="AES-GCM, as a JSON web key"),
        pytest.param({"name": "RSA-OAEP", **RSA}, "raw", id="RSA-OAEP"),
    ],
)
async def test_keys_are_wrapped(wrapping, form):
    """
    A key goes out under another one, and comes back the same.
    """
    made = await subtle.generateKey(obj(**wrapping), False, to_js(["wrapKey", "unwrapKey"]))
    seal, unseal = getattr(made, "publicKey", made), getattr(made, "privateKey", made)
    how = obj(name=wrapping["name"], iv=bytes(12))
    key = await secret(b"x" * 32, HMAC, "sign", extractable=True)
    wrapped = await subtle.wrapKey(form, key, seal, how)
    again = await subtle.unwrapKey(form, wrapped, unseal, how, HMAC, True, to_js(["sign"]))

    assert b"x" * 32 == (await subtle.exportKey("raw", again)).to_bytes()


async def test_a_json_web_key():
    """
    A secret as JSON says what it is for, and comes back.
    """
    key = await subtle.generateKey(HMAC, True, to_js(["sign"]))
    exported = await subtle.exportKey("jwk", key)
    again = await subtle.importKey("jwk", exported, HMAC, True, to_js(["sign"]))

    assert {"kty", "k", "alg", "key_ops", "ext"} == set(exported.to_py())
    assert ("oct", "HS256", ["sign"]) == (exported.kty, exported.alg, exported.key_ops.to_py())
    assert (await subtle.sign("HMAC", key, data(b""))).to_bytes() == (
        await subtle.sign("HMAC", again, data(b""))
    ).to_bytes()


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"kty": "RSA"}, 'expected a JSON web key with kty "oct"'),
        ({"k": None}, "has no k"),
        ({"k": "?"}, "no base64url"),
        ({"alg": "HS512"}, 'for HS512, not for "HS256"'),
        ({"ext": False}, "cannot be extracted"),
        ({"ext": 0}, "cannot be extracted"),
        ({"key_ops": ["verify"]}, "do not allow sign"),
        ({"key_ops": ["sign", "sign"]}, "names sign twice"),
        ({"key_ops": "sign"}, "key_ops of the JSON web key is no array of words"),
        ({"key_ops": [1, "sign"]}, "key_ops of the JSON web key is no array of words"),
        ({"key_ops": 1}, "key_ops of the JSON web key is no array of words"),
        ({"use": "enc"}, 'for the use "enc", not for "sig"'),
        ({"use": "sig", "key_ops": ["sign", "encrypt"]}, 'encrypt, which is not of the use "sig"'),
        ({"k": "eHg="}, "no base64url"),
        ({"k": "+/+/"}, "no base64url"),
        ({"k": "eHgxa"}, "no base64url"),
        ({"k": "é"}, "no base64url"),
    ],
    ids=lambda value: ", ".join(f"{name} {member}" for name, member in value.items()) if type(value) is dict else "",
)
async def test_a_wrong_json_web_key(changed, text):
    """
    A DataError says what of it does not fit.
    """
    web_key = {"kty": "oct", "k": "eHg", "alg": "HS256", **changed}
    with pytest.raises(JsException, match=text) as caught:
        await subtle.importKey("jwk", obj(**web_key), HMAC, True, to_js(["sign"]))

    assert "DataError" == caught.value.name


async def test_a_json_web_key_of_the_other_hand():
    """
    What it says of its use counts only where the key is to be used.
    """
    pytest.importorskip("cryptography")
    pair = await subtle.generateKey(obj(name="ECDH", namedCurve="P-256"), True, to_js(["deriveBits"]))
    web_key = {**(await subtle.exportKey("jwk", pair.publicKey)).to_py(), "use": "sig", "key_ops": None}
    made = await subtle.importKey("jwk", obj(**web_key), obj(name="ECDH", namedCurve="P-256"), True, to_js([]))

    assert "public" == made.type


@pytest.mark.parametrize(
    ("options", "uses", "right", "wrong"),
    [
        ({"name": "ECDSA", "namedCurve": "P-256"}, ["sign", "verify"], "ES256", "ES384"),
        ({"name": "Ed25519"}, ["sign", "verify"], "EdDSA", "ES256"),
        ({"name": "Ed25519"}, ["sign", "verify"], "Ed25519", "RS256"),
    ],
    ids=["ECDSA", "Ed25519 by its old name", "Ed25519"],
)
async def test_a_json_web_key_for_another_algorithm(options, uses, right, wrong):
    """
    A curve's key is refused where its `alg` is another.
    """
    pytest.importorskip("cryptography")
    pair = await subtle.generateKey(obj(**options), True, to_js(uses))
    web_key = (await subtle.exportKey("jwk", pair.publicKey)).to_py()
    made = await subtle.importKey("jwk", obj(**web_key | {"alg": right}), obj(**options), True, to_js(["verify"]))

    assert "public" == made.type
    assert "DataError" == await named(
        subtle.importKey("jwk", obj(**web_key | {"alg": wrong}), obj(**options), True, to_js(["verify"]))
    )


async def test_a_key_has_no_more_bits_than_it_says():
    """
    Of the last byte of a key for HMAC the surplus bits are zero, however the key was made.
    """
    eleven = obj(name="HMAC", hash="SHA-256", length=11)
    web_key = obj(kty="oct", k="__8", alg="HS256")
    raw = await subtle.importKey("raw", data(b"\xff\xff"), eleven, True, to_js(["sign"]))
    read = await subtle.importKey("jwk", web_key, eleven, True, to_js(["sign"]))
    made = [await subtle.generateKey(eleven, True, to_js(["sign"])) for _ in range(20)]

    assert [b"\xff\xe0"] * 2 == [(await subtle.exportKey("raw", key)).to_bytes() for key in (raw, read)]
    assert {0} == {(await subtle.exportKey("raw", key)).to_bytes()[1] & 0x1F for key in made}
    assert 11 == raw.algorithm.length


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -8, 1 << 32, "8"], ids=str)
@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(
            lambda number: subtle.generateKey(obj(name="HMAC", hash="SHA-256", length=number), True, to_js(["sign"])),
            id="the length of a key",
        ),
        pytest.param(lambda number: _derived(number), id="derived bits"),
    ],
)
async def test_what_is_no_number(ask, number):
    """
    A TypeError, as for everything that JavaScript does not take for a whole number of 32 bits.
    """
    assert "TypeError" == await named(ask(number))


async def test_a_number_with_a_point_is_whole():
    """
    JavaScript knows one kind of numbers: 128.0 is 128.
    """
    assert 16 == (await _derived(128.0)).byteLength


async def _derived(bits):
    key = await secret(b"x", "PBKDF2", "deriveBits")
    return await subtle.deriveBits(obj(name="PBKDF2", hash="SHA-256", iterations=1, salt=data(b"")), key, bits)


@pytest.mark.parametrize(
    ("expected", "ask"),
    [
        pytest.param("NotSupportedError", lambda key: subtle.sign("ROT13", key, data(b"")), id="no such algorithm"),
        pytest.param("NotSupportedError", lambda key: subtle.digest("HMAC", data(b"")), id="no digest"),
        pytest.param("NotSupportedError", lambda key: secret(b"x", "SHA-256", "sign"), id="no keys"),
        pytest.param(
            "NotSupportedError", lambda key: subtle.importKey("pem", data(b"x"), HMAC, True, ["sign"]), id="no format"
        ),
        pytest.param(
            "NotSupportedError",
            lambda key: subtle.importKey("spki", data(b"x"), HMAC, True, ["sign"]),
            id="not of HMAC",
        ),
        pytest.param("NotSupportedError", lambda key: subtle.generateKey("HKDF", False, ["sign"]), id="not generated"),
        pytest.param("SyntaxError", lambda key: secret(b"x", HMAC, "encrypt"), id="a use it has not"),
        pytest.param("SyntaxError", lambda key: secret(b"x", HMAC), id="no use at all"),
        pytest.param(
            "SyntaxError",
            lambda key: secret(b"x", "PBKDF2", "deriveKey", extractable=True),
            id="a password that leaves",
        ),
        pytest.param("TypeError", lambda key: secret(b"x", HMAC, "shave"), id="no word for a use"),
        pytest.param("TypeError", lambda key: secret(b"x", obj(name="HMAC"), "sign"), id="a member missing"),
        pytest.param("TypeError", lambda key: secret(b"x", {"name": "HMAC"}, "sign"), id="a dict"),
        pytest.param("TypeError", lambda key: subtle.sign("HMAC", key, b"bytes"), id="bytes"),
        pytest.param("TypeError", lambda key: subtle.sign("HMAC", "key", data(b"")), id="no key"),
        pytest.param("DataError", lambda key: secret(b"", HMAC, "sign"), id="no secret"),
        pytest.param("InvalidAccessError", lambda key: subtle.exportKey("raw", key), id="a key that stays"),
        pytest.param(
            "InvalidAccessError", lambda key: subtle.verify("HMAC", key, data(b""), data(b"")), id="another use"
        ),
        pytest.param("InvalidAccessError", lambda key: subtle.sign("Ed25519", key, data(b"")), id="another algorithm"),
    ],
)
async def test_what_goes_wrong(expected, ask):
    """
    Errors have the platform's names, and come from the promise.
    """
    assert expected == await named(ask(await secret(b"x", HMAC, "sign")))


@pytest.mark.parametrize(
    ("expected", "changed"),
    [
        ("NotSupportedError", {"iterations": 100_001}),
        ("OperationError", {"iterations": 0}),
        ("TypeError", {"salt": None}),
    ],
)
async def test_a_password_is_stretched_as_far_as_there(expected, changed):
    """
    The platform refuses more than 100,000 iterations, so they are refused here.
    """
    how = obj(**{"name": "PBKDF2", "hash": "SHA-256", "salt": b"", "iterations": 1, **changed})
    key = await secret(b"password", "PBKDF2", "deriveBits")

    assert expected == await named(subtle.deriveBits(how, key, 256))


async def test_python_values_are_explained():
    """
    Bytes and dicts are nothing JavaScript can read; the error says what to write.
    """
    with pytest.raises(JsException, match=r"got bytes, which JavaScript cannot read; write to_js\(…\)"):
        await subtle.digest("SHA-256", b"x")
    with pytest.raises(JsException, match=r"dict_converter=Object\.fromEntries"):
        await secret(b"x", {"name": "HMAC"}, "sign")


def test_random_values():
    """
    An array of whole numbers is filled and handed back; there are at most 65,536 bytes at once.
    """
    array = Uint8Array.new(32)

    assert array is crypto.getRandomValues(array)
    assert any(array)
    assert 36 == len(crypto.randomUUID())
    with pytest.raises(JsException, match=r"^QuotaExceededError"):
        crypto.getRandomValues(Uint8Array.new(65_537))
    with pytest.raises(JsException, match=r"^TypeMismatchError"):
        crypto.getRandomValues(bytearray(3))


def test_comparing_in_constant_time():
    """
    Buffers of one size are the same or not; of two sizes they cannot be compared.
    """
    assert (True, False) == (
        subtle.timingSafeEqual(data(b"ab"), data(b"ab")),
        subtle.timingSafeEqual(data(b"ab"), data(b"ac")),
    )
    with pytest.raises(JsException, match=r"^TypeError: timingSafeEqual"):
        subtle.timingSafeEqual(data(b"ab"), data(b"a"))


async def test_without_the_package(monkeypatch):
    """
    What the standard library cannot do says which package to install, and for which interpreter.
    """
    monkeypatch.setitem(sys.modules, "cryptography", None)
    key = await secret(bytes(16), "AES-GCM", "encrypt")

    with pytest.raises(ModuleNotFoundError, match="-m pip install cryptography; HMAC") as caught:
        await subtle.encrypt(obj(name="AES-GCM", iv=bytes(12)), key, data(b"x"))

    assert "cryptography" == caught.value.name
    assert sys.executable in str(caught.value)
