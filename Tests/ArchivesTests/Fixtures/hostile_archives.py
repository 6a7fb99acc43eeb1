#!/usr/bin/env python3
"""Makes archives that must be refused: hostile_archives.py FOLDER.

Writes one file each, and index.json, which lists for each file the rule that it breaks. Within the limits that the tests
use: 1,000 files, 4 MiB a file, 8 MiB together.
"""
import gzip
import io
import json
import os
import random
import struct
import sys
import warnings
import zipfile
import zlib

MIB = 1 << 20
folder = sys.argv[1]
index = []


def keep(name, content, rule):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)
    index.append({"file": name, "rule": rule})


# --- tar, header by header -------------------------------------------------------------------------------------------

def number(value, width):
    if 0 <= value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return (value & ((1 << (8 * width)) - 1) | (0x80 << (8 * (width - 1)))).to_bytes(width, "big")


def header(name, size=0, type=b"0", link=b"", mode=0o644, prefix=b"", magic=b"ustar\x0000", checksum=None):
    block = bytearray(512)
    for start, field in ((0, name[:100]), (100, number(mode, 8)), (108, number(0, 8)), (116, number(0, 8)),
                         (124, number(size, 12)), (136, number(0, 12)), (148, b" " * 8), (156, type), (157, link[:100]),
                         (257, magic), (345, prefix)):
        block[start:start + len(field)] = field
    block[148:156] = b"%06o\0 " % (sum(block) if checksum is None else checksum)
    return bytes(block)


def padded(content):
    return content + b"\0" * (-len(content) % 512)


def member(name, content=b"x", **fields):
    return header(name, len(content), **fields) + padded(content)


def pax(*records, type=b"x"):
    text = b""
    for key, value in records:
        rest = b" " + key + b"=" + value + b"\n"
        length = len(rest) + 1
        while len(b"%d" % length) + len(rest) != length:
            length += 1
        text += b"%d" % length + rest
    return member(b"PaxHeader", text, type=type)


END = b"\0" * 1024
INDEX = member(b"index.html", b"<p>hello")


def tar(name, rule, *parts, end=END):
    """The same archive plain and packed."""
    content = b"".join(parts) + end
    keep(name + ".tar", content, rule)
    keep(name + ".tar.gz", gzip.compress(content, 1, mtime=0), rule)


PATHS = [
    ("parent", b"../evil.html", "path-traversal"),
    ("parent-below", b"a/../../evil.html", "path-traversal"),
    ("parent-last", b"a/..", "path-traversal"),
    ("parent-after-dot", b"./../evil.html", "path-traversal"),
    ("absolute", b"/etc/evil", "path-absolute"),
    ("absolute-twice", b"//evil", "path-absolute"),
    ("absolute-after-dot", b".//evil", "path-absolute"),
    ("empty-part", b"a//b.html", "path-empty-component"),
    ("dot-part", b"a/./b.html", "path-dot"),
    ("backslash", b"..\\evil.html", "path-backslash"),
    ("drive", b"C:\\evil.html", "path-backslash"),
    ("newline", b"a\nb.html", "path-control-byte"),
    ("delete", b"a\x7fb.html", "path-control-byte"),
    ("escape", b"\x1b[31mred.html", "path-control-byte"),
    ("c1-control", "a\u0085b.html".encode(), "path-encoding"),
    ("latin-1", b"\xe4.html", "path-encoding"),
    ("overlong", b"\xc0\xae\xc0\xae/evil.html", "path-encoding"),
    ("surrogate", b"\xed\xa0\x80.html", "path-encoding"),
    ("decomposed", "cafe\u0301.html".encode(), "path-normal-form"),
    ("angstrom", "\u212b.html".encode(), "path-normal-form"),
    ("deep", b"d/" * 32 + b"x", "path-depth"),
]
for name, path, rule in PATHS:
    tar("path-" + name, rule, INDEX, member(path))
    tar("path-" + name + "-pax", rule, INDEX, pax((b"path", path)), member(b"harmless.html"))
tar("path-parent-folder", "path-traversal", INDEX, header(b"../evil/", type=b"5"))
tar("path-parent-prefix", "path-traversal", INDEX, member(b"evil.html", prefix=b".."))
tar("path-parent-gnu", "path-traversal", INDEX, member(b"././@LongLink", b"../evil.html\0", type=b"L"), member(b"a"))
tar("path-zero-pax", "path-control-byte", INDEX, pax((b"path", b"good.html\0../evil")), member(b"a"))
tar("path-zero-gnu", "path-control-byte", INDEX, member(b"././@LongLink", b"good.html\0../evil\0", type=b"L"), member(b"a"))
tar("path-none", "path-empty", INDEX, member(b""))
tar("path-long-part", "path-length", INDEX, pax((b"path", b"n" * 256)), member(b"a"))
tar("path-long", "path-length", INDEX, pax((b"path", b"/".join([b"n" * 200] * 21))), member(b"a"))
tar("path-very-long", "path-length", INDEX, pax((b"path", b"n" * 900_000)), member(b"a"))

tar("symlink", "archive-symlink", INDEX, header(b"link", type=b"2", link=b"index.html"))
tar("symlink-outside", "archive-symlink", INDEX, header(b"link", type=b"2", link=b"/etc/passwd"))
tar("symlink-write-through", "archive-symlink", INDEX, header(b"d", type=b"2", link=b"/tmp"), member(b"d/pagewright-evil"))
tar("symlink-first", "archive-symlink", header(b"index.html", type=b"2", link=b"/etc/passwd"), INDEX)
tar("symlink-pax", "archive-symlink", INDEX, pax((b"linkpath", b"/etc/passwd")), header(b"link", type=b"2"))
tar("symlink-hidden", "archive-symlink", INDEX, header(b".git/link", type=b"2", link=b"/etc"))
tar("symlink-with-content", "archive-symlink", INDEX, header(b"link", 512, type=b"2", link=b"/etc"), INDEX)
tar("hardlink", "archive-hardlink", INDEX, header(b"copy.html", type=b"1", link=b"index.html"))
tar("hardlink-outside", "archive-hardlink", INDEX, header(b"copy", type=b"1", link=b"/etc/shadow"))
tar("device", "archive-device", INDEX, header(b"null", type=b"3"))
tar("block-device", "archive-device", INDEX, header(b"disk", type=b"4"))
tar("fifo", "archive-fifo", INDEX, header(b"pipe", type=b"6"))
tar("type-unknown", "archive-type", INDEX, member(b"a", type=b"Z"))
tar("type-volume", "archive-type", INDEX, member(b"a", type=b"M"))
tar("type-dump", "archive-type", INDEX, member(b"a", type=b"D"))
tar("sparse-gnu", "archive-sparse", INDEX, header(b"hole.bin", 4 << 30, type=b"S", magic=b"ustar  \0"))
tar("sparse-gnu-small", "archive-sparse", INDEX, member(b"hole.bin", type=b"S", magic=b"ustar  \0"))
tar("sparse-pax", "archive-sparse", INDEX,
    pax((b"GNU.sparse.major", b"1"), (b"GNU.sparse.minor", b"0"), (b"GNU.sparse.realsize", b"4294967296")), member(b"a"))
tar("sparse-pax-0", "archive-sparse", INDEX, pax((b"GNU.sparse.size", b"4294967296"), (b"GNU.sparse.numblocks", b"0")), member(b"a"))
tar("sparse-solaris", "archive-sparse", INDEX, pax((b"SUN.holesdata", b" 0 4294967296")), member(b"a"))

tar("twice", "path-collision", INDEX, INDEX)
tar("case", "path-collision", INDEX, member(b"INDEX.html"))
tar("case-umlaut", "path-collision", INDEX, member("\u00e4.html".encode()), member("\u00c4.html".encode()))
tar("case-folder", "path-collision", INDEX, member(b"a/b"), member(b"A"))
tar("file-is-folder", "path-collision", INDEX, member(b"a"), member(b"a/b.html"))

tar("many-files", "file-count", b"".join(header(b"%d" % n) for n in range(100_000)))
tar("many-folders", "file-count", INDEX, b"".join(header(b"%d/" % n, type=b"5") for n in range(100_000)))
tar("many-hidden", "file-count", INDEX, b"".join(header(b".%d" % n) for n in range(100_000)))
tar("size-4-gib", "file-size", INDEX, header(b"big", 4 << 30))
tar("size-huge", "file-size", INDEX, header(b"big", 1 << 60))
tar("size-pax", "file-size", INDEX, pax((b"size", b"9000000000000000000")), header(b"big"))
tar("size-negative", "archive-damaged", INDEX, header(b"big", -1))
tar("size-pax-negative", "archive-damaged", INDEX, pax((b"size", b"-1")), header(b"big"))
tar("size-hidden", "file-size", INDEX, header(b".big", 4 << 30))
tar("size-total", "total-size", INDEX, *[member(b"%d" % n, bytes(3 * MIB)) for n in range(3)])
tar("size-total-hidden", "total-size", INDEX, *[member(b".%d" % n, bytes(3 * MIB)) for n in range(3)])
tar("size-of-folder", "archive-damaged", INDEX, header(b"a/", 1 << 40, type=b"5"))

tar("pax-huge", "archive-damaged", INDEX, header(b"PaxHeader", 2 << 30, type=b"x"))
tar("pax-global-huge", "archive-damaged", INDEX, header(b"PaxHeader", 2 << 30, type=b"g"))
tar("gnu-name-huge", "archive-damaged", INDEX, header(b"././@LongLink", 2 << 30, type=b"L"))
tar("pax-chain", "archive-damaged", INDEX, pax((b"comment", b"c" * 100)) * 1_000, member(b"a"))
tar("pax-length-zero", "archive-damaged", INDEX, member(b"p", b"0 path=a\n", type=b"x"), member(b"a"))
tar("pax-length-beyond", "archive-damaged", INDEX, member(b"p", b"99 path=a\n", type=b"x"), member(b"a"))
tar("pax-length-huge", "archive-damaged", INDEX, member(b"p", b"9" * 300 + b" path=a\n", type=b"x"), member(b"a"))
tar("pax-no-equals", "archive-damaged", INDEX, member(b"p", b"8 path\n\n", type=b"x"), member(b"a"))
tar("pax-no-end", "archive-damaged", INDEX, pax((b"path", b"a")), end=b"")

tar("no-end", "archive-damaged", INDEX, end=b"")
tar("cut-in-header", "archive-damaged", INDEX, INDEX[:300], end=b"")
tar("cut-in-content", "archive-damaged", INDEX, header(b"a", 100_000), bytes(50_000), end=b"")
tar("checksum", "archive-damaged", INDEX, header(b"a", checksum=1))
tar("checksum-first", "archive-format", header(b"index.html", checksum=1))
tar("nothing", "archive-empty")
tar("only-folders", "archive-empty", header(b"a/", type=b"5"), header(b"a/b/", type=b"5"))
tar("only-hidden", "archive-empty", member(b".env"), member(b"__MACOSX/index.html"))

# --- gzip ------------------------------------------------------------------------------------------------------------

random.seed(1)
noise = random.randbytes(100_000)
packed = gzip.compress(INDEX + member(b"noise", noise) + END, 1, mtime=0)
keep("cut.tar.gz", packed[:len(packed) // 2], "archive-damaged")
keep("cut-after-magic.tar.gz", packed[:12], "archive-damaged")
keep("flipped.tar.gz", packed[:50_000] + bytes([packed[50_000] ^ 1]) + packed[50_001:], "archive-damaged")
keep("gzip-in-gzip.tar.gz", gzip.compress(packed), "archive-format")
keep("gzip-of-noise.tar.gz", gzip.compress(noise), "archive-format")
keep("gzip-of-nothing.tar.gz", gzip.compress(b""), "archive-format")
zeros = gzip.compress(bytes(64 * MIB), 9, mtime=0)
start = gzip.compress(INDEX + header(b"bomb", 1 << 30), mtime=0)
keep("bomb.tar.gz", start + zeros * 16, "file-size")
keep("bomb-hidden.tar.gz", gzip.compress(INDEX + header(b".bomb", 1 << 30), mtime=0) + zeros * 16, "file-size")
sparse = header(b"bomb", 0, type=b"S", magic=b"ustar  \0", prefix=bytes(137) + b"\1")
keep("bomb-sparse.tar.gz", gzip.compress(INDEX + sparse, mtime=0) + zeros * 16, "archive-sparse")
keep("bomb-behind-end.tar.gz", gzip.compress(INDEX + END, mtime=0) + zeros * 16, "archive-damaged")
keep("sum.tar.gz", packed[:-5] + bytes([packed[-5] ^ 1]) + packed[-4:], "archive-damaged")
keep("cut-in-sum.tar.gz", packed[:-3], "archive-damaged")
chain = gzip.compress(pax((b"comment", b"c" * 1_000_000)) * 64, 9, mtime=0)
keep("bomb-pax.tar.gz", gzip.compress(INDEX, mtime=0) + chain * 16, "archive-damaged")

# --- what is no archive at all ---------------------------------------------------------------------------------------

keep("empty", b"", "archive-format")
keep("noise", noise, "archive-format")
keep("text", b"<!doctype html><title>not an archive</title>" * 100, "archive-format")
keep("seven-zip.7z", b"7z\xbc\xaf\x27\x1c" + noise[:1_000], "archive-format")
keep("rar.rar", b"Rar!\x1a\x07\x01\x00" + noise[:1_000], "archive-format")
keep("xz.tar.xz", b"\xfd7zXZ\x00" + noise[:1_000], "archive-format")
keep("cpio.cpio", b"070701" + b"0" * 104 + b"TRAILER!!!\0" + noise[:1_000], "archive-format")

# --- zip -------------------------------------------------------------------------------------------------------------

warnings.simplefilter("ignore")


def zipped(name, rule, entries, change=lambda content: content, method=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method, compresslevel=1) as archive:
        for path, content, mode in [("index.html", b"<p>hello", 0o100644)] + entries:
            info = zipfile.ZipInfo("x")
            info.filename = path
            info.external_attr = mode << 16
            info.compress_type = method
            archive.writestr(info, content)
    keep(name + ".zip", change(stream.getvalue()), rule)


FILE = 0o100644
for name, path, rule in PATHS:
    try:
        text = path.decode()
    except UnicodeDecodeError:
        continue
    # libarchive composes names that are marked as UTF-8, and takes backslashes for the slashes of Windows.
    if rule not in ("path-normal-form", "path-backslash"):
        zipped("path-" + name, rule, [(text, b"x", FILE)])
zipped("path-parent-windows", "path-traversal", [("..\\evil.html", b"x", FILE)])
zipped("path-zero", "path-control-byte", [("good.html\0../evil", b"x", FILE)])
zipped("path-latin-1", "path-encoding", [("qqqq.html", b"x", FILE)], lambda c: c.replace(b"qqqq", b"\xe4\xf6\xfc\xff"))
zipped("path-decomposed-raw", "path-normal-form", [("cafeqq.html", b"x", FILE)],
       lambda c: c.replace(b"cafeqq", "cafe\u0301".encode()))
zipped("symlink", "archive-symlink", [("link", b"/etc/passwd", 0o120777)])
zipped("symlink-write-through", "archive-symlink", [("d", b"/tmp", 0o120777), ("d/pagewright-evil", b"x", FILE)])
zipped("device", "archive-device", [("null", b"", 0o020666)])
zipped("fifo", "archive-fifo", [("pipe", b"", 0o010644)])
zipped("socket", "archive-socket", [("socket", b"", 0o140644)])
zipped("twice", "path-collision", [("index.html", b"x", FILE)])
zipped("case", "path-collision", [("Index.HTML", b"x", FILE)])
zipped("file-is-folder", "path-collision", [("a", b"x", FILE), ("a/b", b"x", FILE)])
zipped("many-files", "file-count", [("%d" % n, b"", FILE) for n in range(10_000)])
zipped("size-total", "total-size", [("%d" % n, bytes(3 * MIB), FILE) for n in range(3)])
zipped("bomb", "file-size", [("bomb", bytes(256 * MIB), FILE)])
zipped("bomb-hidden", "file-size", [(".bomb", bytes(256 * MIB), FILE)])
zipped("encrypted", "archive-encrypted", [("secret", b"x" * 20, FILE)],
       lambda c: c.replace(b"PK\1\2\x14\x03\x14\0\0\0", b"PK\1\2\x14\x03\x14\0\1\0").replace(
           b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\1\0"))
zipped("checksum", "archive-damaged", [("noise", noise[:5_000], FILE)], lambda c: c.replace(noise[10:20], noise[20:30]),
       zipfile.ZIP_STORED)
zipped("cut", "archive-damaged", [("noise", noise, FILE)], lambda c: c[:len(c) // 2])
keep("zip-of-nothing.zip", b"PK\5\6" + bytes(18), "archive-damaged")
keep("zip-of-noise.zip", b"PK\3\4" + noise, "archive-damaged")


def liar(size):
    """A member that says `size` and unpacks to 256 MiB."""
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = raw.compress(bytes(256 * MIB)) + raw.flush()
    facts = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x21, zlib.crc32(b""), len(data), size, 10, 0)
    local = b"PK\3\4" + facts + b"index.html" + data
    central = b"PK\1\2" + struct.pack("<H", 0x314) + facts + struct.pack("<HHHII", 0, 0, 0, FILE << 16, 0) + b"index.html"
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


keep("bomb-that-says-ten.zip", liar(10), "file-size|archive-damaged")
keep("bomb-that-says-a-mebibyte.zip", liar(MIB), "file-size|archive-damaged")
# A directory of a million entries, of which the end says that there is one.
central = b"PK\1\2" + bytes(42) + b""
keep("bomb-directory.zip", b"PK\3\4" + bytes(26) + central * 1_000_000
     + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central) * 1_000_000, 30, 0), "file-count")

with open(os.path.join(folder, "index.json"), "w") as file:
    json.dump(index, file)
