"""The two accounts of the local stack, and clients that act in them."""

from dataclasses import dataclass

import boto3
from botocore.config import Config

REGION = "us-east-1"

# The secrets of the local stacks that this process started or read the outputs of, by endpoint.
_secrets = {}


def remember_secret(endpoint_url, secret):
    """Keeps the secret access key of a local stack's roots for the clients of this process."""
    _secrets[endpoint_url] = secret


@dataclass(frozen=True)
class Account:
    """One account, used as its root. In MiniStack, the access key of a root is the 12-digit account id."""

    account_id: str
    endpoint_url: str

    @property
    def access_key_id(self):
        return self.account_id

    @property
    def secret_access_key(self):
        # The S3 model takes any.
        return _secrets.get(self.endpoint_url, "any")

    @property
    def credentials(self):
        """The credentials, as in .local/outputs.json."""
        return {"access_key_id": self.access_key_id, "secret_access_key": self.secret_access_key}

    def client(self, service, connections_max=32):
        """Returns a client of this account's root, with a bounded connection pool and timeouts."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key_id,
            aws_secret_access_key=self.secret_access_key,
            config=Config(
                max_pool_connections=connections_max,
                connect_timeout=5,
                read_timeout=120,
                retries={"max_attempts": 3, "mode": "standard"},
                s3={"addressing_style": "path"},
            ),
        )


def source_account(endpoint_url):
    """The account that owns the source bucket and runs Shardlift."""
    return Account("111111111111", endpoint_url)


def target_account(endpoint_url):
    """The account that owns the target bucket."""
    return Account("222222222222", endpoint_url)
