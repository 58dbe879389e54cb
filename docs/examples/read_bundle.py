#!/usr/bin/env python3
"""Verifies a bundle from docs/bundle-format.md alone: read_bundle.py BUNDLE airgap.pub

BUNDLE is a tar, a volume (the others lie beside it), or a folder with either, or with an unpacked bundle. Needs Python 3.9 and
the openssl command. Prints the images, or says what is wrong and exits with 2 (not a bundle of this format), 3 (damaged, or not
signed by the key) or 4 (not all there).
"""
import base64
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
import tempfile

BLOCK, SLOT, CHUNK, LARGEST = 512, 4096, 4 * 1024 * 1024, 2**53 - 1
MANIFEST_LIMIT = TABLE_LIMIT = 64 * 1024 * 1024
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
EMPTY = "sha256:" + hashlib.sha256(b"").hexdigest()
OWN_FILES = ["airgap.lock.yaml", "sbom.cdx.json", "provenance.intoto.json"]


class Refused(Exception):
    def __init__(self, what, status=3):
        super().__init__(what)
        self.status = status


def need(holds, what, status=3):
    if not holds:
        raise Refused(what, status)


# --- the tar dialect


def header(path, size):
    h = bytearray(BLOCK)
    h[0 : len(path)] = path.encode("ascii")
    h[100:108] = b"0000644\0"
    h[108:116] = h[116:124] = b"0000000\0"
    h[124:136] = f"{size:011o}\0".encode() if size < 8**11 else b"\x80\0\0\0" + size.to_bytes(8, "big")
    h[136:148] = b"00000000000\0"
    h[148:156] = b" " * 8
    h[156:157] = b"0"
    h[257:265] = b"ustar  \0"
    h[148:156] = f"{sum(h):06o}\0 ".encode()
    return bytes(h)


def padding(size):
    return -size % BLOCK


def slot_path(i):
    return "bundle.json.sig" if i == 0 else f"bundle.json.{i}.sig"


# --- where the bytes are: a tar or volumes as one run of bytes, or an unpacked folder


VOLUME = re.compile(r"(.+\.tar)\.([0-9]{3,6})", re.S)


def is_bundle_name(name):
    return name.endswith(".tar") or VOLUME.fullmatch(name) is not None


def bundle_files(folder):
    names = sorted(n for n in os.listdir(folder) if not n.startswith(".") and is_bundle_name(n))
    return [p for p in (os.path.join(folder, n) for n in names) if not os.path.isdir(p)]


def find(path):
    """The files of one bundle, in order, and whether they are volumes."""
    if os.path.isdir(path):
        files = bundle_files(path)
    else:
        volume = VOLUME.fullmatch(os.path.basename(path))
        if volume:
            beside = bundle_files(os.path.dirname(path) or ".")
            same = lambda p: (VOLUME.fullmatch(os.path.basename(p)) or [None, None])[1] == volume[1]
            files = [p for p in beside if same(p)]
            files += [] if any(os.path.samefile(p, path) for p in files if os.path.exists(path)) else [path]
        else:
            if not path.endswith(".tar"):
                need(os.path.isfile(path) and open(path, "rb").read(12) == b"bundle.json\0", f"{path} is not a bundle", 2)
            need(os.path.exists(path), f"there is no {path}", 2)
            files = [path]
    need(files, f"there is no bundle in {path}", 2)
    parts = [(VOLUME.fullmatch(os.path.basename(p)), p) for p in files]
    names = {m[1] if m else os.path.basename(p) for m, p in parts}
    need(len(names) == 1, "there are several bundles", 2)
    whole = [p for m, p in parts if not m]
    need(not whole or len(parts) == 1, "the bundle is there both whole and in volumes", 2)
    if whole:
        return whole, False
    numbered = sorted((int(m[2]), p) for m, p in parts)
    numbers = [n for n, _ in numbered]
    need(0 not in numbers, "volumes are numbered from 001")
    need(len(set(numbers)) == len(numbers), "a volume is there twice")
    for _, p in numbered:
        need(os.path.exists(p), f"{p} is missing", 4)
    need(numbers == list(range(1, len(numbers) + 1)), "a volume is missing", 4)
    return [p for _, p in numbered], True


class Tar:
    def __init__(self, path):
        self.files, self.volumes = find(path)
        for p in self.files:
            need(os.path.isfile(p), f"{p} is not a regular file")
        self.sizes = [os.path.getsize(p) for p in self.files]
        self.size = sum(self.sizes)
        if self.volumes:
            first, last = self.sizes[0], self.sizes[-1]
            need(0 not in self.sizes, "a volume is empty")
            need(set(self.sizes[:-1]) <= {first} and last <= first, "a volume has another size than the others")

    def require(self, size, exactly=False):
        if self.size >= size and not (exactly and self.size > size):
            return
        missing = self.volumes and self.size < size and self.sizes[0] == self.sizes[-1]
        raise Refused(f"the bundle has {self.size} bytes where {size} are needed", 4 if missing else 3)

    def read(self, position, length):
        self.require(position + length)
        found, start = [], 0
        for path, size in zip(self.files, self.sizes):
            if start < position + length and position < start + size:
                with open(path, "rb") as file:
                    at = max(position - start, 0)
                    file.seek(at)
                    found.append(file.read(min(size, position + length - start) - at))
            start += size
        return b"".join(found)

    def front(self):
        hint = self.read(0, BLOCK)
        digits = hint[124:136]
        need(re.fullmatch(rb"[0-7]{11}\0", digits), "the tar header of bundle.json")
        size = int(digits[:11], 8)
        need(size <= MANIFEST_LIMIT and hint == header("bundle.json", size), "the tar header of bundle.json")
        raw = self.read(BLOCK, size)
        at, slots = BLOCK + size + padding(size), []
        need(self.read(at, BLOCK) == header(slot_path(0), SLOT), "the tar header of bundle.json.sig")
        while len(slots) < 16 and self.size >= at + BLOCK and self.read(at, BLOCK) == header(slot_path(len(slots)), SLOT):
            slots.append(self.read(at + BLOCK, SLOT))
            at += BLOCK + SLOT
        return raw, slots

    def check_frames(self, raw, slots, manifest):
        need(manifest["signatureSlots"] == len(slots), "the number of signature slots")
        frames = [("bundle.json", len(raw))] + [(slot_path(i), SLOT) for i in range(len(slots))]
        frames += [(entry["path"], entry["size"]) for entry in manifest["entries"]]
        self.places, at, gaps = {}, 0, []
        before = b""
        for path, size in frames:
            gaps.append((at, before + header(path, size), path))
            at += len(gaps[-1][1])
            self.places[path] = at
            at += size
            before = b"\0" * padding(size)
        gaps.append((at, before + b"\0" * (2 * BLOCK), "the trailer"))
        self.require(at + len(gaps[-1][1]), exactly=True)
        for position, expected, name in gaps:
            need(self.read(position, len(expected)) == expected, f"the header of {name}, or padding before it")

    def body(self, path, start, length):
        return self.read(self.places[path] + start, length)


class Folder:
    def __init__(self, path):
        self.path = path

    def stat(self, path):
        whole = os.path.join(self.path, path)
        try:
            return os.lstat(whole)
        except FileNotFoundError:
            raise Refused(f"{whole} is missing", 4)

    def whole(self, path, limit):
        info = self.stat(path)
        need(stat.S_ISREG(info.st_mode) and info.st_size <= limit, path)
        return self.body(path, 0, info.st_size)

    def body(self, path, start, length):
        with open(os.path.join(self.path, path), "rb") as file:
            file.seek(start)
            return file.read(length)

    def front(self):
        raw, slots = self.whole("bundle.json", MANIFEST_LIMIT), [self.whole(slot_path(0), SLOT)]
        while len(slots) < 16 and os.path.lexists(os.path.join(self.path, slot_path(len(slots)))):
            slots.append(self.whole(slot_path(len(slots)), SLOT))
        return raw, slots

    def check_frames(self, raw, slots, manifest):
        need(len(slots) >= manifest["signatureSlots"], "a signature slot is missing", 4)
        need(len(slots) == manifest["signatureSlots"], "the number of signature slots")
        for path in ("blobs", "blobs/sha256"):
            need(stat.S_ISDIR(self.stat(path).st_mode), f"{path} is not a folder")
        for entry in manifest["entries"]:
            info = self.stat(entry["path"])
            need(stat.S_ISREG(info.st_mode) and info.st_size == entry["size"], entry["path"])


def open_medium(path):
    if not os.path.lexists(os.path.join(path, "bundle.json")):
        return Tar(path)
    need(not bundle_files(path), f"{path} holds an unpacked bundle and a tar: it is not clear which one is meant", 2)
    return Folder(path)


# --- signatures, over bytes that nobody has parsed yet


def decode_slot(slot):
    """The signature, b'' for an empty slot."""
    text = slot.rstrip(b"\n")
    need(len(slot) == SLOT and len(text) < SLOT, "a signature slot")
    try:
        signature = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused("a signature slot")
    need(base64.b64encode(signature) == text, "a signature slot")
    return signature


def is_strict_ecdsa(der):
    if len(der) < 8 or len(der) > 72 or der[0] != 0x30 or der[1] != len(der) - 2:
        return False
    at = 2
    for _ in range(2):
        if at + 2 > len(der) or der[at] != 0x02 or der[at + 1] == 0 or at + 2 + der[at + 1] > len(der):
            return False
        number = der[at + 2 : at + 2 + der[at + 1]]
        if number[0] >= 0x80 or (len(number) > 1 and number[0] == 0 and number[1] < 0x80):
            return False
        if not 0 < int.from_bytes(number, "big") < P256_ORDER:
            return False
        at += 2 + len(number)
    return at == len(der)


class Key:
    def __init__(self, path):
        self.path = path
        text = subprocess.run(
            ["openssl", "pkey", "-pubin", "-in", path, "-noout", "-text"], capture_output=True, text=True, check=True
        ).stdout
        bits = re.search(r"\(([0-9]+) bit\)", text)
        if "ED25519" in text:
            self.kind, self.length = "ed25519", 64
        elif "prime256v1" in text:
            self.kind, self.length = "ecdsa", None
        else:
            need("Modulus" in text and int(bits[1]) >= 2048, f"{path} is no key that is accepted", 2)
            self.kind, self.length = "rsa", (int(bits[1]) + 7) // 8

    def verifies(self, message, signature):
        strict = is_strict_ecdsa(signature) if self.length is None else len(signature) == self.length
        if not strict:
            return False
        with tempfile.NamedTemporaryFile() as m, tempfile.NamedTemporaryFile() as s:
            m.write(message), m.flush(), s.write(signature), s.flush()
            command = ["openssl", "dgst", "-sha256", "-verify", self.path, "-signature", s.name, m.name]
            if self.kind == "ed25519":
                command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", self.path, "-rawin", "-in", m.name, "-sigfile", s.name]
            return subprocess.run(command, capture_output=True).returncode == 0


# --- bundle.json


def count_marks(raw):
    """Refuses what is too much to parse."""
    bare = re.sub(rb'"(?:[^"\\]|\\.)*(?:"|$)', b"", raw, flags=re.S)
    need(len(re.findall(rb"[\[{,]", bare)) <= 500_000, "bundle.json holds too much")
    depth = 0
    for mark in re.findall(rb"[\[{}\]]", bare):
        depth += 1 if mark in b"[{" else -1
        need(depth <= 5, "bundle.json is too deep")


def canonical(value):
    # every string in a bundle.json is ASCII, so sorting by code point is sorting by UTF-16 code unit
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def text(pattern, limit=None):
    compiled = re.compile(pattern)
    return lambda v: isinstance(v, str) and compiled.fullmatch(v) and (limit is None or len(v) <= limit)


def integer(least, most):
    return lambda v: type(v) is int and least <= v <= most


def listing(check, most, least=0):
    return lambda v: isinstance(v, list) and least <= len(v) <= most and all(check(item) for item in v)


def table(required, optional={}):
    both = {**required, **optional}
    return lambda v: (
        isinstance(v, dict) and required.keys() <= v.keys() <= both.keys() and all(both[k](v[k]) for k in v)
    )


DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]


def is_time(v):
    match = isinstance(v, str) and re.fullmatch(
        r"([0-9]{4})-(0[1-9]|1[0-2])-([0-9]{2})T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z", v
    )
    if not match:
        return False
    year, month, day = (int(n) for n in match.groups())
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return year >= 1970 and 1 <= day <= DAYS[month - 1] + leap


LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
FULL_NAME = re.compile(
    rf"((?:{LABEL}(?:\.{LABEL})*|\[[0-9A-Fa-f:.]+\])(?::([0-9]{{1,5}}))?)/({COMPONENT}(?:/{COMPONENT})*):({TAG})"
)


def is_full_name(v):
    match = isinstance(v, str) and len(v) <= 1024 and FULL_NAME.fullmatch(v)
    if not match:
        return False
    host, port, repository, _ = match.groups()
    lower = host.lower()
    word = re.search(r"[.:\[]", host) is None
    return (
        len(host) <= 261
        and int(port or 0) <= 65535
        and (host == "localhost" or (host != lower != "localhost") if word else host == lower)
        and host not in ("index.docker.io", "registry-1.docker.io")
        and len(repository) <= 255
        and (host != "docker.io" or "/" in repository)
    )


WORD = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
digest = text(r"sha256:[0-9a-f]{64}")
size = integer(0, LARGEST)
name = text(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,126}[A-Za-z0-9])?")
node = {"mediaType": text(rf"{WORD}/{WORD}(?:;[\x20-\x7e]+)?", 255), "digest": digest, "size": size}
image = table(
    {
        **node,
        "name": is_full_name,
        "platforms": listing(text(r"[\x21-\x2b\x2d-\x7e]{1,128}"), 100),
        "accompanying": listing(table(node, {"artifactType": text(r"[\x20-\x7e]{1,255}"), "tag": text(TAG)}), 1000),
    },
    {"original": table(node), "artifact": lambda v: v is True},
)
shape = table(
    {
        "apiVersion": lambda v: v == "eck-airgap/v1",
        "kind": lambda v: v == "BundleManifest",
        "name": text(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?"),
        "lock": digest,
        "signatureSlots": integer(1, 16),
        "entries": listing(
            table({"path": text(r"chunks|oci-layout|index\.json|blobs/sha256/[0-9a-f]{64}"), "size": size, "digest": digest}),
            50_000,
            3,
        ),
        "images": listing(image, 5000),
        "files": listing(table({**node, "name": name}), 10_000, 1),
        "installers": listing(table({"name": name, "digest": digest, "size": size}), 100),
        "sequence": size,
    },
    {"expires": is_time},
)


def ascending(keys):
    return all(a < b for a, b in zip(keys, keys[1:]))


def parse(raw):
    count_marks(raw)
    try:
        manifest = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused("bundle.json is not JSON")
    known = isinstance(manifest, dict) and all(isinstance(manifest.get(k), str) for k in ("apiVersion", "kind"))
    need(known, "bundle.json has no apiVersion and kind")
    ours = (manifest["apiVersion"], manifest["kind"]) == ("eck-airgap/v1", "BundleManifest")
    need(ours and "base" not in manifest and "absent" not in manifest, "bundle.json is in another format", 2)
    need(shape(manifest), "bundle.json does not have the shape of one")
    need(canonical(manifest) == raw, "bundle.json is not canonical")
    entries, images, files = manifest["entries"], manifest["images"], manifest["files"]
    need([e["path"] for e in entries[:3]] == ["chunks", "oci-layout", "index.json"], "the first entries")
    blobs = entries[3:]
    need(all(e["path"] == "blobs/sha256/" + e["digest"][7:] for e in blobs), "a blob is not named by its digest")
    need(ascending([e["path"] for e in blobs]), "the order of entries")
    need(all(e["size"] > 0 or e["digest"] == EMPTY for e in blobs), "an empty blob")
    need(ascending([i["name"] for i in images]), "the order of images")
    rank = lambda f: (OWN_FILES.index(f["name"]), "") if f["name"] in OWN_FILES else (len(OWN_FILES), f["name"])
    need(ascending([rank(f) for f in files]), "the order of files")
    need(ascending([i["name"] for i in manifest["installers"]]), "the order of installers")
    need(all(ascending(i["platforms"]) for i in images), "the order of platforms")
    need(all(ascending([a["digest"] for a in i["accompanying"]]) for i in images), "the order of what is accompanying")
    need((files[0]["name"], files[0]["digest"]) == ("airgap.lock.yaml", manifest["lock"]), "the lock")
    sizes = {e["digest"]: e["size"] for e in blobs}
    nodes = files + [n for i in images for n in [i, *i["accompanying"], *([i["original"]] if "original" in i else [])]]
    need(all(sizes.get(n["digest"]) == n["size"] for n in nodes), "something is named that is not among the entries")
    return manifest


# --- what follows from bundle.json


def index_json(manifest):
    def entry(image):
        notes = {"org.opencontainers.image.ref.name": image["name"], "io.containerd.image.name": image["name"]}
        if "original" in image:
            notes["eck-airgap.original.digest"] = image["original"]["digest"]
        return {"mediaType": image["mediaType"], "digest": image["digest"], "size": image["size"], "annotations": notes}

    images = [entry(image) for image in manifest["images"] if "artifact" not in image]
    return canonical({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": images})


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def read_table(medium, manifest):
    """Path to the chunk hashes of its body."""
    chunks, *rest = manifest["entries"]
    counts = [(entry, -(-entry["size"] // CHUNK)) for entry in rest]
    total = 32 * sum(count for _, count in counts)
    need(total == chunks["size"] and total <= TABLE_LIMIT, "the size of chunks")
    whole, table, at = medium.body("chunks", 0, total), {}, 0
    need(sha256(whole) == chunks["digest"], "chunks")
    for entry, count in counts:
        table[entry["path"]] = [whole[at + 32 * i : at + 32 * i + 32] for i in range(count)]
        at += 32 * count
        need(count != 1 or "sha256:" + table[entry["path"]][0].hex() == entry["digest"], f"chunks and {entry['path']}")
    return table


def check(path, keys):
    """The manifest of a bundle of which every byte is what was signed."""
    medium = open_medium(path)
    raw, slots = medium.front()
    signatures = [decode_slot(slot) for slot in slots]
    for key in keys:
        need(any(s and key.verifies(raw, s) for s in signatures), f"no signature by {key.path}")
    manifest = parse(raw)
    medium.check_frames(raw, slots, manifest)
    generated = {"oci-layout": canonical({"imageLayoutVersion": "1.0.0"}), "index.json": index_json(manifest)}
    for entry in manifest["entries"][1:3]:
        right = generated[entry["path"]]
        need((entry["size"], entry["digest"]) == (len(right), sha256(right)), entry["path"])
        need(medium.body(entry["path"], 0, len(right)) == right, entry["path"])
    table = read_table(medium, manifest)
    for entry in manifest["entries"][1:]:
        for i, expected in enumerate(table[entry["path"]]):
            chunk = medium.body(entry["path"], i * CHUNK, min(CHUNK, entry["size"] - i * CHUNK))
            need(hashlib.sha256(chunk).digest() == expected, f"{entry['path']} from byte {i * CHUNK}")
    return manifest


def main(path, key):
    try:
        for image in check(path, [Key(key)])["images"]:
            print(image["name"], image["digest"])
    except Refused as refused:
        print(f"refused: {refused}", file=sys.stderr)
        raise SystemExit(refused.status)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
