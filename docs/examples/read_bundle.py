#!/usr/bin/env python3
"""Verifies a bundle (one file) from docs/bundle-format.md alone: read_bundle.py site.tar airgap.pub

Needs Python 3.9 and the openssl command (for an ECDSA or RSA key). Prints the images, or says what is wrong and exits with 3.
"""
import base64
import hashlib
import json
import subprocess
import sys
import tempfile

BLOCK, SLOT, CHUNK = 512, 4096, 4 * 1024 * 1024


def refuse(what):
    print(f"refused: {what}", file=sys.stderr)
    raise SystemExit(3)


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


def canonical(value):
    # every string in a bundle.json is ASCII, so sorting by code point is sorting by UTF-16 code unit
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def padding(size):
    return -size % BLOCK


def slot_path(i):
    return "bundle.json.sig" if i == 0 else f"bundle.json.{i}.sig"


def verifies(key, message, signature):
    with tempfile.NamedTemporaryFile() as m, tempfile.NamedTemporaryFile() as s:
        m.write(message), m.flush(), s.write(signature), s.flush()
        command = ["openssl", "dgst", "-sha256", "-verify", key, "-signature", s.name, m.name]
        return subprocess.run(command, capture_output=True).returncode == 0


def index_json(manifest):
    def entry(image):
        notes = {"org.opencontainers.image.ref.name": image["name"], "io.containerd.image.name": image["name"]}
        if "original" in image:
            notes["eck-airgap.original.digest"] = image["original"]["digest"]
        return {"mediaType": image["mediaType"], "digest": image["digest"], "size": image["size"], "annotations": notes}

    images = [entry(image) for image in manifest["images"] if not image.get("artifact")]
    return canonical({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": images})


def main(path, key):
    file = open(path, "rb")

    def expect(bytes_, what):
        if file.read(len(bytes_)) != bytes_:
            refuse(what)

    # 1. the first header is a bounded hint
    hint = file.read(BLOCK)[124:135]
    if not hint.isdigit() or int(hint, 8) > 64 * 1024 * 1024:
        refuse("the tar header of bundle.json")
    size = int(hint, 8)
    file.seek(0)
    expect(header("bundle.json", size), "the tar header of bundle.json")
    raw = file.read(size)
    # 2. slots while their headers follow; 3. one of them verifies, and nothing has been parsed yet
    slots, good = 0, False
    expect(b"\0" * padding(size), "the padding after bundle.json")
    while slots < 16 and file.read(BLOCK) == header(slot_path(slots), SLOT):
        text = file.read(SLOT)
        signature = text.rstrip(b"\n")
        if len(signature) == SLOT or base64.b64encode(base64.b64decode(signature)) != signature:
            refuse(slot_path(slots))
        good = good or (signature != b"" and verifies(key, raw, base64.b64decode(signature)))
        slots += 1
    if not good:
        refuse("no signature by this key")
    # 4. the manifest, and what it must say
    manifest = json.loads(raw)
    if canonical(manifest) != raw or (manifest["apiVersion"], manifest["kind"]) != ("eck-airgap/v1", "BundleManifest"):
        refuse("bundle.json")
    if manifest["signatureSlots"] != slots or [e["path"] for e in manifest["entries"][:3]] != ["chunks", "oci-layout", "index.json"]:
        refuse("bundle.json: slots or entries")
    generated = {"oci-layout": canonical({"imageLayoutVersion": "1.0.0"}), "index.json": index_json(manifest)}
    # 5. and 6. walk the file: every header, padding byte and chunk is compared
    file.seek(BLOCK + size + padding(size) + slots * (BLOCK + SLOT))
    table = b""
    for entry in manifest["entries"]:
        expect(header(entry["path"], entry["size"]), f"the tar header of {entry['path']}")
        if entry["path"] == "chunks":
            table = file.read(entry["size"])
            if "sha256:" + hashlib.sha256(table).hexdigest() != entry["digest"]:
                refuse("chunks")
        else:
            for start in range(0, entry["size"], CHUNK):
                chunk = file.read(min(CHUNK, entry["size"] - start))
                if hashlib.sha256(chunk).digest() != table[:32]:
                    refuse(f"{entry['path']} at byte {start}")
                table = table[32:]
                if chunk != generated.get(entry["path"], chunk):
                    refuse(entry["path"])
        expect(b"\0" * padding(entry["size"]), f"the padding after {entry['path']}")
    expect(b"\0" * 1024, "the trailer")
    if table or file.read(1):
        refuse("bytes after the trailer")
    for image in manifest["images"]:
        print(image["name"], image["digest"])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
