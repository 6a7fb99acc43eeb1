"""A host that is revoked while it sends a file and hears its session.

usage: revoked.py PROTOS PORT TOKEN ROOT

Joins, takes a job, begins to send a file that never ends, and prints one line of JSON for each thing that it saw.
"""
import hashlib
import json
import queue
import ssl
import sys
import tempfile
import threading
import time

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from grpc_tools import protoc

protos, port, token, root = sys.argv[1:5]
out = tempfile.mkdtemp()
names = ["enrolment", "session", "blobs"]
assert 0 == protoc.main(
    ["protoc", "-I", protos, "--python_out=" + out, "--grpc_python_out=" + out]
    + ["pagewright/agent/v1/%s.proto" % name for name in names]
)
sys.path.insert(0, out)
from pagewright.agent.v1 import blobs_pb2, blobs_pb2_grpc, enrolment_pb2, enrolment_pb2_grpc  # noqa: E402
from pagewright.agent.v1 import session_pb2, session_pb2_grpc  # noqa: E402

OPTIONS = [("grpc.ssl_target_name_override", "coordinator.pagewright.internal")]


def say(**what):
    print(json.dumps(what), flush=True)


def ended(call):
    """How a call ended, as a status and a rule."""
    try:
        call()
        return ["OK", ""]
    except grpc.RpcError as error:
        return [error.code().name, dict(error.trailing_metadata() or []).get("pagewright-rule", "")]


root = open(root, "rb").read()
key = ec.generate_private_key(ec.SECP256R1())
request = (
    x509.CertificateSigningRequestBuilder()
    .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "whatever")]))
    .sign(key, hashes.SHA256())
    .public_bytes(serialization.Encoding.DER)
)
anonymous = grpc.secure_channel("127.0.0.1:" + port, grpc.ssl_channel_credentials(root), OPTIONS)
credential = enrolment_pb2_grpc.EnrolmentStub(anonymous).Enrol(
    enrolment_pb2.EnrolRequest(
        token=token.split(".")[1], signing_request=request, host_name="python", agent_version="py"
    )
)
pem = "".join(ssl.DER_cert_to_PEM_cert(der) for der in credential.certificate_chain).encode()
private = key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)
channel = grpc.secure_channel("127.0.0.1:" + port, grpc.ssl_channel_credentials(root, private, pem), OPTIONS)
outgoing = queue.Queue()
frames = session_pb2_grpc.SessionStub(channel).Open(iter(outgoing.get, None))
outgoing.put(
    session_pb2.AgentFrame(
        hello=session_pb2.Hello(agent_version="py", roles=["worker", "serving"], boot_id="b", engines=["builtin"])
    )
)
outgoing.put(session_pb2.AgentFrame(credit=session_pb2.Credit(slots=1)))
for frame in frames:
    if frame.WhichOneof("frame") == "offer":
        lease = frame.offer.lease
        break
outgoing.put(session_pb2.AgentFrame(accept=lease))
access = blobs_pb2.Access(
    lease=blobs_pb2.LeaseReference(
        job_id=lease.job_id, attempt=lease.attempt, token=lease.token, fence=lease.fence
    )
)
content = b"x" * 1000
digest = hashlib.sha256(content).digest()
blobs = blobs_pb2_grpc.BlobsStub(channel)


def pieces():
    """One whole file, and then one that takes for ever."""
    yield blobs_pb2.PutBlobsRequest(access=access)
    yield blobs_pb2.PutBlobsRequest(
        piece=blobs_pb2.BlobPiece(digest=digest, size_bytes=len(content), data=content)
    )
    yield blobs_pb2.PutBlobsRequest(piece=blobs_pb2.BlobPiece(digest=b"\3" * 32, size_bytes=1 << 20, data=b"y"))
    say(step="sending")
    while True:
        time.sleep(0.2)
        yield blobs_pb2.PutBlobsRequest(piece=blobs_pb2.BlobPiece(data=b"y"))


session = {}


def listen():
    """Hears the session until it ends."""

    def hear():
        for frame in frames:
            if frame.WhichOneof("frame") == "go_away":
                session["reason"] = frame.go_away.reason

    session["end"] = ended(hear)


listener = threading.Thread(target=listen, daemon=True)
listener.start()
say(step="upload", ended=ended(lambda: blobs.Put(pieces())), at=time.time())
listener.join(30)
say(step="session", reason=session.get("reason", ""), ended=session.get("end", ["OPEN", ""]), at=time.time())
again = blobs.FindMissing
say(step="again", ended=ended(lambda: again(blobs_pb2.FindMissingRequest(access=access, digests=[digest]))))
outgoing.put(None)
