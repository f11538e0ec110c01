"""An account as its profile shows it. On the local stack a configuration file of the suite holds the profiles."""

import threading

import boto3
import botocore.session
from botocore.config import Config

CONNECTIONS_MAX = 64


class Account:
    """Clients of one profile, counted by the meter."""

    def __init__(self, profile, region, meter, config_file=None):
        self.profile = profile
        core = botocore.session.Session()
        core.set_config_variable("profile", profile)
        if config_file is not None:
            # Never the user's own profiles: the local stack must not reach an account.
            core.set_config_variable("config_file", str(config_file))
            core.set_config_variable("credentials_file", str(config_file))
        meter.watch(core.get_component("event_emitter"))
        self._session = boto3.Session(botocore_session=core, region_name=region)
        self.region = self._session.region_name
        self._clients = {}
        self._lock = threading.Lock()
        caller = self.client("sts").get_caller_identity()
        self.account_id = caller["Account"]
        # aws, aws-cn, aws-us-gov …
        self.partition = caller["Arn"].split(":")[1]

    def credentials(self):
        """The credentials by the names of their variables, for a process that takes no profile."""
        frozen = self._session.get_credentials().get_frozen_credentials()
        return {
            "ACCESS_KEY_ID": frozen.access_key,
            "SECRET_ACCESS_KEY": frozen.secret_key,
            "SESSION_TOKEN": frozen.token,
        }

    def another_region(self):
        """Another Region of the account's partition; its own where there is none."""
        others = [r for r in self._session.get_available_regions("s3", self.partition) if r != self.region]
        # The first choice is near to nothing that the suite uses otherwise, and every account has it.
        return "us-west-2" if "us-west-2" in others else (others or [self.region])[0]

    def client(self, service, region=None):
        """A client of a service, in the account's Region unless another one is named."""
        region = region or self.region
        with self._lock:
            if (service, region) not in self._clients:
                config = Config(
                    max_pool_connections=CONNECTIONS_MAX,
                    connect_timeout=10,
                    read_timeout=120,
                    retries={"max_attempts": 8, "mode": "standard"},
                )
                self._clients[service, region] = self._session.client(service, region_name=region, config=config)
            return self._clients[service, region]


def write_local_profiles(path, endpoint_url, accounts, region):
    """Writes profiles of the local stack, for the same commands and clients. `accounts` are its accounts by profile."""
    text = ""
    for profile, account in accounts.items():
        text += f"[profile {profile}]\nregion = {region}\nendpoint_url = {endpoint_url}\n"
        # The access key of an account's root is its id, see infra/local/README.md.
        text += f"aws_access_key_id = {account.access_key_id}\naws_secret_access_key = {account.secret_access_key}\n"
        text += "s3 =\n    addressing_style = path\n\n"
    path.write_text(text)
