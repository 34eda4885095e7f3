#!/usr/bin/env python3
# sessions.py PEER: X3DH and the Double Ratchet of lib/session (tests/interop/peer.c) against the packages x3dh and doubleratchet, which
# know nothing of it but the parameters of sm-sessions(7), written down a second time here. TAP.
import asyncio
import os
import random
import struct
import subprocess
import sys
import warnings

import doubleratchet
import x3dh
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from doubleratchet.recommended import HashFunction, diffie_hellman_ratchet_curve25519, kdf_hkdf, kdf_separate_hmacs

CREATED = 1790000000
JUMP, KEPT = 1000, 2000
OURS, THEIRS = ("alice@example.org", 1), ("bob@b.example:8443", 200)


class RootKDF(kdf_hkdf.KDF):
    @staticmethod
    def _get_hash_function():
        return HashFunction.SHA_256

    @staticmethod
    def _get_info():
        return b"SM-DR-root-v1"


class ChainKDF(kdf_separate_hmacs.KDF):
    @staticmethod
    def _get_hash_function():
        return HashFunction.SHA_256


def message_cipher(r, key):
    okm = HKDF(hashes.SHA256(), 44, r, b"SM-DR-message-v1").derive(key)
    return AESGCM(okm[:32]), okm[32:]


class AEAD(doubleratchet.AEAD):
    @staticmethod
    async def encrypt(plaintext, key, associated_data):
        r = os.urandom(32)
        cipher, nonce = message_cipher(r, key)
        return r + cipher.encrypt(nonce, plaintext, associated_data)

    @staticmethod
    async def decrypt(ciphertext, key, associated_data):
        cipher, nonce = message_cipher(ciphertext[:32], key)
        try:
            return cipher.decrypt(nonce, ciphertext[32:], associated_data)
        except InvalidTag as e:
            raise doubleratchet.AuthenticationFailedException() from e


def pack(header):
    return header.ratchet_pub + struct.pack(">II", header.previous_sending_chain_length, header.sending_chain_length)


def unpack(header):
    return doubleratchet.Header(header[:32], *struct.unpack(">II", header[32:]))


class Ratchet(doubleratchet.DoubleRatchet):
    @staticmethod
    def _build_associated_data(associated_data, header):
        return associated_data + pack(header)


PARAMETERS = dict(
    diffie_hellman_ratchet_class=diffie_hellman_ratchet_curve25519.DiffieHellmanRatchet,
    root_chain_kdf=RootKDF,
    message_chain_kdf=ChainKDF,
    message_chain_constant=b"\x02\x01",
    dos_protection_threshold=JUMP,
    max_num_skipped_message_keys=KEPT,
    aead=AEAD,
)
REFUSALS = (doubleratchet.AuthenticationFailedException, doubleratchet.DuplicateMessageException, doubleratchet.DoSProtectionException)


class Agreement(x3dh.BaseState):
    signed = b""  # what stands before a signed prekey under its signature: whose it is

    @staticmethod
    def _encode_public_key(key_format, pub):
        if key_format is x3dh.IdentityKeyFormat.ED_25519:
            return b"\x01" + pub
        return Agreement.signed + b"\x02" + pub


def signed_before(device, key_id):
    return b"SM-spk-v1\0" + struct.pack(">IIQ", device, key_id, CREATED)


def names(a, b):
    texts = [("%s/%d" % end).encode() for end in (a, b)]
    return b"".join(struct.pack(">H", len(t)) + t for t in texts)


class Peer:
    """Our end."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.key = bytes.fromhex(self.ask("device", os.urandom(32), *OURS)[0])

    def ask(self, *words):
        """The words of the answer, or None when it is no."""
        self.process.stdin.write(" ".join(w.hex() if isinstance(w, bytes) else str(w) for w in words) + "\n")
        answer = self.process.stdout.readline().split()
        if not answer:
            raise SystemExit("the peer has gone")
        return answer[1:] if answer[0] == "ok" else None

    async def seal(self, file_key):
        header, body, *self.x3dh = self.ask("seal", file_key)
        return bytes.fromhex(header), bytes.fromhex(body)

    async def open(self, message):
        answer = self.ask("open", *message)
        return bytes.fromhex(answer[0]) if answer else None

    def kept(self):
        return int(self.ask("skipped")[0])

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


class Other:
    """The packages' end."""

    def __init__(self, key_id=5):
        Agreement.signed = signed_before(THEIRS[1], key_id)
        self.agreement = Agreement.create(x3dh.IdentityKeyFormat.ED_25519, x3dh.HashFunction.SHA_256, b"SM-X3DH-v1")
        self.agreement.generate_pre_keys(1)
        self.bundle = self.agreement.bundle
        self.ratchet = None

    async def seal(self, file_key):
        m = await self.ratchet.encrypt_message(file_key, self.ad)
        return pack(m.header), m.ciphertext

    async def open(self, message):
        try:
            return await self.ratchet.decrypt_message(doubleratchet.EncryptedMessage(unpack(message[0]), message[1]), self.ad)
        except REFUSALS:
            return None

    async def accept(self, us, eka, one_time, message, appendix):
        first = x3dh.Header(us.key, eka, self.bundle.signed_pre_key, one_time)
        secret, self.ad, spk = await self.agreement.get_shared_secret_passive(first, appendix, require_pre_key=False)
        try:
            self.ratchet, got = await Ratchet.decrypt_initial_message(
                shared_secret=secret, own_ratchet_priv=spk.priv, associated_data=self.ad,
                message=doubleratchet.EncryptedMessage(unpack(message[0]), message[1]), **PARAMETERS)
        except REFUSALS:
            return None
        return got

    def kept(self):
        return len(self.ratchet.model.skipped_message_keys)


async def we_initiate(us, other, opk, name=THEIRS):
    """Returns whether the first message opened at the other end, which goes by name."""
    b = other.bundle
    one_time = next(iter(b.pre_keys)) if opk else None
    prekey = (9, one_time) if opk else ("-", "-")
    if us.ask("start", b.identity_key, *THEIRS, 5, CREATED, b.signed_pre_key, b.signed_pre_key_sig, *prekey) is None:
        return False
    key = os.urandom(32)
    message = await us.seal(key)
    eka, key_id, opk_id = us.x3dh
    if (key_id, opk_id) != ("5", "9" if opk else "-"):
        return False
    return await other.accept(us, bytes.fromhex(eka), one_time, message, names(OURS, name)) == key


async def they_initiate(us, other, opk):
    spk, sig, one_time = (bytes.fromhex(w) for w in us.ask("prekeys", 3, CREATED, 7))
    Agreement.signed = signed_before(OURS[1], 3)
    bundle = x3dh.Bundle(us.key, spk, sig, frozenset([one_time] if opk else []))
    secret, other.ad, first = await other.agreement.get_shared_secret_active(bundle, names(THEIRS, OURS), require_pre_key=opk)
    key = os.urandom(32)
    other.ratchet, m = await Ratchet.encrypt_initial_message(
        shared_secret=secret, recipient_ratchet_pub=spk, message=key, associated_data=other.ad, **PARAMETERS)
    answer = us.ask("first", other.bundle.identity_key, *THEIRS, pack(m.header), m.ciphertext, first.ephemeral_key, 3, 7 if opk else "-")
    return answer is not None and bytes.fromhex(answer[0]) == key


async def chaos(us, other, seed, steps):
    """Both write; the network loses one in eight, reorders, repeats and damages. Returns what went wrong, or None."""
    dice = random.Random(seed)
    ends = {0: (us, other), 1: (other, us)}
    way = {0: [], 1: []}
    came = 0
    for step in range(steps):
        direction = dice.randrange(2)
        sender, receiver = ends[direction]
        if dice.random() < 0.5 and len(way[direction]) < 30:
            key = os.urandom(32)
            way[direction].append((key, await sender.seal(key)))
            continue
        if not way[direction]:
            continue
        key, message = way[direction].pop(dice.randrange(len(way[direction])))
        fate = dice.random()
        if fate < 0.125:
            continue
        if fate < 0.2:
            part, at = dice.randrange(2), dice.randrange(40)
            damaged = [bytearray(p) for p in message]
            damaged[part][at] ^= 1 << dice.randrange(7)
            if await receiver.open([bytes(p) for p in damaged]) is not None:
                return "step %d: a damaged message opened" % step
        if await receiver.open(message) != key:
            return "step %d: a message did not open" % step
        came += 1
        if fate > 0.9 and await receiver.open(message) is not None:
            return "step %d: a message opened twice" % step
        if fate > 0.9 and await sender.open(message) is not None:
            return "step %d: a message opened where it came from" % step
        if fate > 0.98 and receiver.kept() > KEPT:
            return "step %d: too many skipped keys" % step
    return None if came > steps / 5 else "only %d messages came" % came


async def turns(a, b):
    """Each hears from the other, so that both begin new chains."""
    for sender, receiver in ((b, a), (a, b)):
        key = os.urandom(32)
        if await receiver.open(await sender.seal(key)) != key:
            raise SystemExit("a turn did not open")


async def limits(sender, receiver):
    """1,000 and 1,001 ahead; a chain whose end is lost. The packages only warn of the latter."""
    await turns(sender, receiver)
    messages = [await sender.seal(bytes([i % 256]) * 32) for i in range(JUMP + 2)]
    before = receiver.kept()
    if await receiver.open(messages[JUMP + 1]) is not None:
        return "1,001 ahead opened"
    if await receiver.open(messages[JUMP]) is None or receiver.kept() != before + JUMP:
        return "1,000 ahead did not open"
    if await receiver.open(messages[JUMP - 1]) is None:
        return "one that was passed over did not open"
    for lost, kept in ((JUMP, JUMP), (JUMP + 1, 0)):
        await turns(sender, receiver)
        before = receiver.kept()
        late = await receiver.seal(bytes(32))
        for _ in range(lost):
            last = await sender.seal(b"\2" * 32)
        if await sender.open(late) is None:
            return "the answer did not open"
        if await receiver.open(await sender.seal(b"\3" * 32)) != b"\3" * 32:
            return "after %d lost the session is dead" % lost
        if (receiver.kept() != min(before + kept, KEPT)) or ((await receiver.open(last) is not None) != (kept > 0)):
            return "%d lost, %d kept" % (lost, receiver.kept() - before)
    return None


class TAP:
    run = failed = 0

    def ok(self, good, name, why=None):
        self.run += 1
        self.failed += not good
        print("%sok %d - %s" % ("" if good else "not ", self.run, name))
        if why and not good:
            print("# " + why)


async def session(tap, program, start, opk, words, seeds, steps):
    for seed in seeds:
        us, other = Peer(program), Other()
        tap.ok(await start(us, other, opk), "%s: the first message opens" % words)
        why = await chaos(us, other, seed, steps)
        tap.ok(why is None, "%s: %d steps, seed %d" % (words, steps, seed), why)
        if opk and seed == seeds[0]:
            for a, b, who in ((us, other, "they receive"), (other, us, "we receive")):
                why = await limits(a, b)
                tap.ok(why is None, "%s: limits, %s" % (words, who), why)
        tap.ok(us.close() == 0, "%s: our end ends well" % words)


async def strangers(tap, program):
    """What must not work, so that the checks above are known to be able to fail."""
    us, other = Peer(program), Other(key_id=6)
    tap.ok(not await we_initiate(us, other, False), "a signed prekey under another number is refused")
    other = Other()
    tap.ok(not await we_initiate(us, other, False, (THEIRS[0], THEIRS[1] + 1)), "the first message opens for no other device's number")
    tap.ok(not await we_initiate(us, other, False, ("bob@b.example", THEIRS[1])), "and at no other address")
    tap.ok(await we_initiate(us, other, False), "and for the right one")
    us.close()


async def main(program):
    warnings.simplefilter("ignore")  # of keys that are not kept, see limits()
    tap = TAP()
    for opk in (True, False):
        words = "with a one-time prekey" if opk else "without one"
        await session(tap, program, we_initiate, opk, "we initiate " + words, SEEDS, STEPS)
        await session(tap, program, they_initiate, opk, "they initiate " + words, SEEDS, STEPS)
    await strangers(tap, program)
    print("1..%d" % tap.run)
    return tap.failed != 0


SEEDS, STEPS = (1, 2), 1500
sys.exit(asyncio.run(main(sys.argv[1])))
