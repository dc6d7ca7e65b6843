# Run by nbdsh with a connected handle "h": each command of the protocol once, with what it must do.
import os

data = os.urandom(200001)
h.pwrite(data, 12345)
assert h.pread(len(data), 12345) == data
h.pwrite(b"x" * 7, 1, nbd.CMD_FLAG_FUA)
h.flush()

h.zero(65536, 131072, nbd.CMD_FLAG_NO_HOLE)
assert h.pread(65536, 131072) == bytes(65536)
h.zero(1000, 30001)
assert h.pread(1002, 30000) == data[17655:17656] + bytes(1000) + data[18656:18657]
h.trim(65536, 1 << 20)
h.cache(65536, 0)

extents = []
h.block_status(1 << 21, 0, lambda context, offset, entries, error: extents.append((context, offset, list(entries))))
assert extents[0][0] == "base:allocation" and extents[0][1] == 0, extents
one = []
h.block_status(1 << 21, 0, lambda context, offset, entries, error: one.append(list(entries)), nbd.CMD_FLAG_REQ_ONE)
assert len(one[0]) == 2, one

chunks = []
h.pread_structured(65536, 12345, lambda piece, offset, status, error: chunks.append(len(piece)), nbd.CMD_FLAG_DF)
assert chunks == [65536], chunks

# Past the end: refused, and the connection goes on.
h.set_strict_mode(0)
try:
    h.pread(4096, h.get_size() - 512)
    assert False, "read past the end"
except nbd.Error as refused:
    assert refused.errnum == 22, refused
assert h.pread(7, 1) == b"x" * 7
print("all well")
