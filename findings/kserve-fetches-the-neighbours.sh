#!/usr/bin/env bash
# kserve-storage 0.16.0 and 0.21.0 (PyPI), what KServe's storage initializer runs, against an S3 server of moto on loopback, run 2026-11-30.
#
# `storageUri: s3://models/Qwen-7B` names a folder of a bucket, and what is in it is fetched, one expects, as of gs://, where KServe ends the
# folder with a slash by itself. Of S3, and of OSS by the same protocol, it asks for all objects whose names begin with that text: the
# models beside it, Qwen-7B-Chat and Qwen-7B-Chat-Int8, are fetched too, into folders called -Chat and -Chat-Int8. Nothing fails: the
# server finds its files, while a start takes, and the node's disk holds, several models, and more with each that somebody uploads.
# `s3://models/Qwen-7B/` is the folder alone.
#
# Seen: below, at the end (release and URI: what is fetched).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > finding.py <<'PYTHON'
import os
import sys
import tempfile
from pathlib import Path

import boto3
from kserve_storage import Storage
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer(port=0, verbose=False)
server.start()
os.environ.update(
    AWS_ENDPOINT_URL=f"http://127.0.0.1:{server.get_host_and_port()[1]}",
    AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_DEFAULT_REGION="us-east-1",
)
s3 = boto3.client("s3")
s3.create_bucket(Bucket="models")
for model in ("Qwen-7B", "Qwen-7B-Chat", "Qwen-7B-Chat-Int8"):
    s3.put_object(Bucket="models", Key=f"{model}/model.safetensors", Body=b"weights")
for uri in ("s3://models/Qwen-7B", "s3://models/Qwen-7B/"):
    target = Path(tempfile.mkdtemp(dir="."))
    Storage.download(uri, str(target))
    files = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    print(f"{sys.argv[1]}, {uri}:", *files)
server.stop()
PYTHON
"${PYTHON:-python3}" -m venv venv
venv/bin/pip install --quiet 'boto3==1.44.8' 'moto[server]==5.2.5' requests > pip.log 2>&1 || { cat pip.log; exit 2; }
for release in 0.16.0 0.21.0; do
	# What other clouds need is left out, which pip says.
	venv/bin/pip install --quiet --no-deps "kserve-storage==$release" > pip.log 2>&1 || { cat pip.log; exit 2; }
	venv/bin/python finding.py "$release" 2> server.log >> seen.txt || { tail server.log; exit 2; }
done

diff - seen.txt <<'SEEN'
0.16.0, s3://models/Qwen-7B: -Chat-Int8/model.safetensors -Chat/model.safetensors model.safetensors
0.16.0, s3://models/Qwen-7B/: model.safetensors
0.21.0, s3://models/Qwen-7B: -Chat-Int8/model.safetensors -Chat/model.safetensors model.safetensors
0.21.0, s3://models/Qwen-7B/: model.safetensors
SEEN
