"""Azure's own Python clients, unmodified, against a vault that keys may also be purged from.

CK_VAULT, CK_LOGIN: addresses; CK_TENANT, CK_APP, CK_SECRET: a program that may do all with the vault's keys;
REQUESTS_CA_BUNDLE: the authority of the server's certificate. Works with azure-keyvault-keys 4.8 and azure-identity
1.13 and later ones.
"""

import datetime
import hashlib
import inspect
import os
import socket
import unittest

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.keyvault.keys import KeyClient, KeyRotationLifetimeAction, KeyRotationPolicy, KeyRotationPolicyAction
from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm

resolve = socket.getaddrinfo


def resolve_loopback(host, *args, **kwargs):
    """Every name below .localhost is this machine, as RFC 6761 says; the resolver of glibc does not know it."""
    return resolve("127.0.0.1" if isinstance(host, str) and host.endswith(".localhost") else host, *args, **kwargs)


socket.getaddrinfo = resolve_loopback


def credential(secret=None):
    switch = "disable_instance_discovery" if "disable_instance_discovery" in inspect.getsource(ClientSecretCredential) else "instance_discovery"
    options = {"authority": os.environ["CK_LOGIN"], "disable_instance_discovery": True}
    if switch == "instance_discovery":  # as 1.13.0b2 spells it
        options["instance_discovery"] = False
    return ClientSecretCredential(os.environ["CK_TENANT"], os.environ["CK_APP"], secret or os.environ["CK_SECRET"], **options)


class KeyVault(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.credential = credential()
        cls.client = KeyClient(os.environ["CK_VAULT"], cls.credential, retry_total=0)
        cls.counter = 0

    def fresh(self):
        type(self).counter += 1
        return f"py-{self.id().rsplit('.', 1)[-1].replace('_', '-')}-{self.counter}"

    def using(self, key):
        return CryptographyClient(key, self.credential, retry_total=0)

    def refused(self, status, code, call, *args, **kwargs):
        with self.assertRaises(HttpResponseError) as caught:
            call(*args, **kwargs)
        self.assertEqual((caught.exception.status_code, caught.exception.error.code), (status, code), str(caught.exception))

    def test_create_and_read(self):
        far = datetime.datetime(9999, 12, 31, tzinfo=datetime.timezone.utc)
        key = self.client.create_rsa_key(self.fresh(), size=3072, expires_on=far, tags={"for": "mail"})
        self.assertEqual((key.key_type, len(key.key.n)), ("RSA", 384))
        again = self.client.get_key(key.name)
        self.assertEqual((again.id, again.properties.expires_on, again.properties.tags), (key.id, far, {"for": "mail"}))
        newer = self.client.create_rsa_key(key.name)
        self.assertEqual([v.id for v in self.client.list_properties_of_key_versions(key.name)], [key.id, newer.id])
        self.assertIn(key.name, [k.name for k in self.client.list_properties_of_keys()])

    def test_delete_recover_purge(self):
        key = self.client.create_ec_key(self.fresh())
        deleted = self.client.begin_delete_key(key.name).result()
        self.assertEqual(deleted.scheduled_purge_date - deleted.deleted_date, datetime.timedelta(days=90))
        with self.assertRaises(ResourceNotFoundError):
            self.client.get_key(key.name)
        self.refused(409, "Conflict", self.client.create_ec_key, key.name)
        self.assertEqual(self.client.begin_recover_deleted_key(key.name).result().id, key.id)
        self.client.begin_delete_key(key.name).wait()
        self.client.purge_deleted_key(key.name)
        with self.assertRaises(ResourceNotFoundError):
            self.client.get_deleted_key(key.name)

    def test_backup_and_restore(self):
        key = self.client.create_rsa_key(self.fresh())
        blob = self.client.backup_key(key.name)
        self.client.begin_delete_key(key.name).wait()
        self.client.purge_deleted_key(key.name)
        self.assertEqual(self.client.restore_key_backup(blob).id, key.id)
        self.refused(400, "BadParameter", self.client.restore_key_backup, blob[:-1])

    def test_update_and_disable(self):
        key = self.client.create_rsa_key(self.fresh())
        sealed = self.using(key).wrap_key(KeyWrapAlgorithm.rsa_oaep_256, b"key").encrypted_key
        self.client.update_key_properties(key.name, enabled=False)
        self.refused(403, "Forbidden", self.using(key.id).unwrap_key, KeyWrapAlgorithm.rsa_oaep_256, sealed)
        self.client.update_key_properties(key.name, enabled=True)
        self.assertEqual(self.using(key).unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, sealed).key, b"key")

    def test_rotate_and_its_policy(self):
        key = self.client.create_ec_key(self.fresh(), curve="P-384")
        rotate = KeyRotationLifetimeAction(KeyRotationPolicyAction.rotate, time_before_expiry="P30D")
        self.client.update_key_rotation_policy(key.name, KeyRotationPolicy(expires_in="P90D", lifetime_actions=[rotate]))
        self.assertEqual(self.client.get_key_rotation_policy(key.name).expires_in, "P90D")
        rotated = self.client.rotate_key(key.name)
        self.assertEqual(rotated.properties.expires_on - rotated.properties.created_on, datetime.timedelta(days=90))

    def test_wrap_encrypt(self):
        for size in (2048, 3072, 4096):
            key = self.client.create_rsa_key(self.fresh(), size=size)
            for algorithm in (EncryptionAlgorithm.rsa_oaep_256, EncryptionAlgorithm.rsa_oaep, EncryptionAlgorithm.rsa1_5):
                # This client encrypts by itself, with the cryptography library; only the vault decrypts.
                sealed = self.using(key).encrypt(algorithm, b"plain").ciphertext
                self.assertEqual(self.using(key).decrypt(algorithm, sealed).plaintext, b"plain")

    def test_sign_verify(self):
        for curve, algorithm, digest in (
            ("P-256", SignatureAlgorithm.es256, hashlib.sha256), ("P-384", SignatureAlgorithm.es384, hashlib.sha384),
            ("P-521", SignatureAlgorithm.es512, hashlib.sha512), ("P-256K", SignatureAlgorithm.es256_k, hashlib.sha256),
        ):
            key = self.client.create_ec_key(self.fresh(), curve=curve)
            signed = self.using(key).sign(algorithm, digest(b"data").digest()).signature
            self.assertTrue(self.using(key).verify(algorithm, digest(b"data").digest(), signed).is_valid)
            self.assertFalse(self.using(key).verify(algorithm, digest(b"date").digest(), signed).is_valid)
        key = self.client.create_rsa_key(self.fresh())
        for algorithm in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"):
            data = hashlib.new("sha" + algorithm[2:], b"data").digest()
            signed = self.using(key).sign(algorithm, data).signature
            self.assertTrue(self.using(key).verify(algorithm, data, signed).is_valid, algorithm)

    def test_random(self):
        self.assertEqual(len(self.client.get_random_bytes(64)), 64)

    def test_refusals(self):
        self.refused(400, "BadParameter", self.client.create_key, self.fresh(), "oct")
        self.refused(400, "BadParameter", self.client.create_rsa_key, self.fresh(), size=1024)
        with self.assertRaises(ClientAuthenticationError) as caught:
            KeyClient(os.environ["CK_VAULT"], credential("not the secret")).get_key("any")
        self.assertIn("AADSTS7000215", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
