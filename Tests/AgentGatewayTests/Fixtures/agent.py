"""An agent in a few lines of Python: it shows that any gRPC client can speak the agents' protocol.

usage: agent.py PROTOS PORT TOKEN

It joins, opens a session, serves one job by hand, and prints one line of JSON for each thing that it saw.
"""
import hashlib
import json
import queue
import ssl
import sys
import tempfile

import grpc
from grpc_tools import protoc

protos, port, token = sys.argv[1], sys.argv[2], sys.argv[3]
out = tempfile.mkdtemp()
names = ["enrolment", "session", "blobs"]
code = protoc.main(
    ["protoc", "-I", protos, "--python_out=" + out, "--grpc_python_out=" + out]
    + ["pagewright/agent/v1/%s.proto" % name for name in names]
)
assert code == 0
sys.path.insert(0, out)
from pagewright.agent.v1 import blobs_pb2, blobs_pb2_grpc, enrolment_pb2, enrolment_pb2_grpc  # noqa: E402
from pagewright.agent.v1 import session_pb2, session_pb2_grpc  # noqa: E402
from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402

NAME = "coordinator.pagewright.internal"
OPTIONS = [("grpc.ssl_target_name_override", NAME), ("grpc.max_receive_message_length", 8 << 20)]


def say(**what):
    print(json.dumps(what), flush=True)


def refused(call, *arguments):
    """The status and the rule of a call that must not succeed."""
    try:
        result = call(*arguments)
        if hasattr(result, "__next__"):
            list(result)
    except grpc.RpcError as error:
        metadata = dict(error.trailing_metadata() or [])
        return [error.code().name, metadata.get("pagewright-rule", "")]
    return ["OK", ""]


# 1. join: the authority's certificate comes from the test; a real agent pins its key in the handshake
root = open(sys.argv[4], "rb").read()
_, secret, pin = token.split(".")
key = ec.generate_private_key(ec.SECP256R1())
request = (
    x509.CertificateSigningRequestBuilder()
    .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "whatever")]))
    .sign(key, hashes.SHA256())
    .public_bytes(serialization.Encoding.DER)
)
anonymous = grpc.secure_channel("127.0.0.1:" + port, grpc.ssl_channel_credentials(root), OPTIONS)
enrolment = enrolment_pb2_grpc.EnrolmentStub(anonymous)
enrol = enrolment_pb2.EnrolRequest(
    token=secret, signing_request=request, host_name="python", agent_version="py"
)
credential = enrolment.Enrol(enrol)
say(step="joined", host=credential.host_id, roles=list(credential.roles))
say(step="token twice", refused=refused(enrolment.Enrol, enrol))
say(
    step="token unknown",
    refused=refused(
        enrolment.Enrol, enrolment_pb2.EnrolRequest(token="A" * 43, signing_request=request, host_name="x")
    ),
)
say(step="renew without certificate", refused=refused(enrolment.Renew, enrolment_pb2.RenewRequest()))
say(
    step="session without certificate",
    refused=refused(session_pb2_grpc.SessionStub(anonymous).Open, iter([])),
)

# 2. the session
pem = "".join(ssl.DER_cert_to_PEM_cert(der) for der in credential.certificate_chain).encode()
private = key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
channel = grpc.secure_channel(
    "127.0.0.1:" + port, grpc.ssl_channel_credentials(root, private, pem), OPTIONS
)
outgoing = queue.Queue()
frames = session_pb2_grpc.SessionStub(channel).Open(iter(outgoing.get, None))


def send(**frame):
    outgoing.put(session_pb2.AgentFrame(**frame))


def next_frame(kind):
    """The next frame of this kind; others are passed over."""
    for frame in frames:
        if frame.WhichOneof("frame") == kind:
            return getattr(frame, kind)
    raise SystemExit("the session ended before a frame " + kind)


send(
    hello=session_pb2.Hello(
        agent_version="py", roles=["worker", "serving"], boot_id="b", engines=["builtin", "codex"]
    )
)
welcome = next_frame("welcome")
say(step="welcome", epoch=welcome.session_epoch, keys=[len(k) for k in welcome.version_keys])
desired = next_frame("desired")
site = desired.sites[0]
say(step="desired", complete=desired.complete, live=site.live.version, names=list(site.live_names))

# 3. the blobs of the site that is placed here
blobs = blobs_pb2_grpc.BlobsStub(channel)
access = blobs_pb2.Access(site_id=site.site_id)
manifest = blobs.GetManifest(blobs_pb2.GetManifestRequest(access=access, digest=site.live.digest))
text = "pagewright-manifest-1\n" + "".join(
    "%s %d %s\n" % (e.digest.hex(), e.size_bytes, e.path)
    for e in sorted(manifest.upserts, key=lambda e: e.path.encode())
)
say(
    step="manifest",
    files=len(manifest.upserts),
    genuine=hashlib.sha256(text.encode()).digest() == site.live.digest,
)


def get(digests, why):
    received, current = {}, None
    for piece in blobs.Get(blobs_pb2.GetBlobsRequest(access=why, digests=digests)):
        if piece.digest:
            current = piece.digest
            received[current] = b""
        received[current] += piece.data
    return received


received = get([e.digest for e in manifest.upserts], access)
say(
    step="blobs",
    genuine=all(hashlib.sha256(data).digest() == digest for digest, data in received.items()),
    files=len(received),
)
say(
    step="foreign blob",
    refused=refused(blobs.Get, blobs_pb2.GetBlobsRequest(access=access, digests=[b"\1" * 32])),
)
say(
    step="foreign site",
    refused=refused(
        blobs.Get,
        blobs_pb2.GetBlobsRequest(
            access=blobs_pb2.Access(site_id="site_" + "0" * 22), digests=[manifest.upserts[0].digest]
        ),
    ),
)
send(
    site_status=session_pb2.SiteStatus(
        site_id=site.site_id, generation=site.generation, digest=b"\2" * 32, applied=True
    )
)
say(step="wrong digest heals", generation_rises=next_frame("desired").sites[0].generation > site.generation)

# 4. one job
send(credit=session_pb2.Credit(slots=1))
offer = next_frame("offer")
lease = offer.lease
send(accept=lease)
send(progress=session_pb2.Progress(lease=lease, step="Writing by hand", percent=50))
send(log=session_pb2.Log(lease=lease, text="hello from python\n"))
reference = blobs_pb2.LeaseReference(
    job_id=lease.job_id, attempt=lease.attempt, token=lease.token, fence=lease.fence
)
mine = blobs_pb2.Access(lease=reference)
wrong = blobs_pb2.Access(
    lease=blobs_pb2.LeaseReference(
        job_id=lease.job_id, attempt=lease.attempt, token="0" * 32, fence=lease.fence
    )
)
base = blobs.GetManifest(blobs_pb2.GetManifestRequest(access=mine, digest=offer.base))
index = [e for e in base.upserts if e.path == "index.html"][0]
page = get([index.digest], mine)[index.digest]
new = page.replace(b"<h1", b"<h1 data-by='python'", 1)
digest = hashlib.sha256(new).digest()
say(
    step="put without the lease",
    refused=refused(
        blobs.Put,
        iter(
            [
                blobs_pb2.PutBlobsRequest(access=wrong),
                blobs_pb2.PutBlobsRequest(
                    piece=blobs_pb2.BlobPiece(digest=digest, size_bytes=len(new), data=new)
                ),
            ]
        ),
    ),
)
say(
    step="put of a lie",
    refused=refused(
        blobs.Put,
        iter(
            [
                blobs_pb2.PutBlobsRequest(access=mine),
                blobs_pb2.PutBlobsRequest(
                    piece=blobs_pb2.BlobPiece(digest=digest, size_bytes=len(page), data=page)
                ),
            ]
        ),
    ),
)
missing = blobs.FindMissing(blobs_pb2.FindMissingRequest(access=mine, digests=[digest, index.digest]))
say(step="missing", only_the_new=list(missing.missing) == [digest])
stored = blobs.Put(
    iter(
        [
            blobs_pb2.PutBlobsRequest(access=mine),
            blobs_pb2.PutBlobsRequest(
                piece=blobs_pb2.BlobPiece(digest=digest, size_bytes=len(new), data=new)
            ),
        ]
    )
)
say(step="put", stored=stored.stored)
entries = sorted(
    [(e.path, e.size_bytes, e.digest) for e in base.upserts if e.path != "index.html"]
    + [("index.html", len(new), digest)],
    key=lambda e: e[0].encode(),
)
whole = "pagewright-manifest-1\n" + "".join("%s %d %s\n" % (d.hex(), s, p) for p, s, d in entries)
completion = session_pb2.Completion(
    lease=lease,
    succeeded=session_pb2.Completion.Succeeded(
        upserts=[session_pb2.ManifestEntry(path="index.html", size_bytes=len(new), digest=digest)],
        digest=hashlib.sha256(whole.encode()).digest(),
    ),
    summary="Marked the headline",
    usage=session_pb2.Usage(),
)
send(complete=completion)
say(step="completed", verdict=next_frame("verdict").verdict)
send(complete=completion)
say(step="completed again", verdict=next_frame("verdict").verdict)
late = session_pb2.Completion()
late.CopyFrom(completion)
late.lease.fence += 1
late.lease.attempt += 1
send(complete=late)
say(step="completed late", verdict=next_frame("verdict").verdict)

# 5. a frame that is none ends the session with a reason
send(progress=session_pb2.Progress(lease=session_pb2.Lease(job_id="nonsense"), percent=1))
try:
    for _ in frames:
        pass
    say(step="nonsense", refused=["OK", ""])
except grpc.RpcError as error:
    say(step="nonsense", refused=[error.code().name, ""])
outgoing.put(None)
