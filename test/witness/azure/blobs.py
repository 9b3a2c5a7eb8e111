"""What azure-storage-blob makes of an account's blobs, as JSON. Argument: the account's address."""

import json
import sys

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob import BlobServiceClient, ContentSettings
from witness import credential, refused


def main(account: str) -> None:
    # Small, so that the upload is made of blocks.
    service = BlobServiceClient(account, credential(), max_single_put_size=1024, max_block_size=1024)
    container = service.create_container("python")
    content = bytes(range(256)) * 16
    blob = container.upload_blob(
        "shore/photo.jpg",
        content,
        metadata={"origin": "harbour"},
        content_settings=ContentSettings(content_type="image/jpeg"),
    )
    container.upload_blob("quay.txt", "quay")
    properties = blob.get_blob_properties()
    results = {
        "same": blob.download_blob().readall() == content,
        "range": blob.download_blob(offset=255, length=2).readall().hex(),
        "size": properties.size,
        "contentType": properties.content_settings.content_type,
        "metadata": properties.metadata,
        "listed": [found.name for found in container.list_blobs()],
        "prefixed": [found.name for found in container.list_blobs(name_starts_with="shore/")],
        "folders": [found.name for found in container.walk_blobs()],
        "again": refused(lambda: container.upload_blob("quay.txt", "other"), ResourceExistsError),
    }
    blob.delete_blob()
    results["missing"] = refused(lambda: blob.download_blob(), ResourceNotFoundError)
    results["noContainer"] = refused(
        lambda: service.get_container_client("absent").get_container_properties(), ResourceNotFoundError
    )
    print(json.dumps(results))


main(*sys.argv[1:])
