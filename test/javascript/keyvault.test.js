// Azure's own JavaScript clients, unmodified, against a vault that keys may also be purged from. What they
// wrap and sign is checked with Node's own cryptography.
//
// CK_VAULT, CK_LOGIN: addresses; CK_TENANT, CK_APP, CK_SECRET: a program that may do all with the vault's keys.

import assert from "node:assert/strict";
import crypto from "node:crypto";
import { test } from "node:test";

import { ClientSecretCredential } from "@azure/identity";
import { CryptographyClient, KeyClient } from "@azure/keyvault-keys";

const { CK_VAULT, CK_LOGIN, CK_TENANT, CK_APP, CK_SECRET } = process.env;

function credential(secret = CK_SECRET) {
  return new ClientSecretCredential(CK_TENANT, CK_APP, secret, { authorityHost: CK_LOGIN, disableInstanceDiscovery: true });
}

const client = new KeyClient(CK_VAULT, credential(), { retryOptions: { maxRetries: 0 } });
const once = { intervalInMs: 1 };

let counter = 0;
const fresh = (what) => `js-${what}-${++counter}`;
const cryptographyOf = (key) => new CryptographyClient(key.id, credential(), { retryOptions: { maxRetries: 0 } });

async function all(pages) {
  const found = [];
  for await (const item of pages) {
    found.push(item);
  }
  return found;
}

function refused(status, code) {
  return (err) => {
    assert.equal(err.statusCode, status, String(err));
    assert.equal(err.code, code);
    return true;
  };
}

// publicKey is a version's public half for Node.
function publicKey(key) {
  const text = (b) => Buffer.from(b).toString("base64url");
  const { kty, crv, n, e, x, y } = key.key;
  const jwk = kty.startsWith("RSA") ? { kty: "RSA", n: text(n), e: text(e) } : { kty: "EC", crv: crv === "P-256K" ? "secp256k1" : crv, x: text(x), y: text(y) };
  return crypto.createPublicKey({ key: jwk, format: "jwk" });
}

test("create, read, list", async () => {
  const name = fresh("rsa");
  const first = await client.createRsaKey(name, { keySize: 3072, tags: { for: "mail" }, notBefore: new Date("2020-01-01"), expiresOn: new Date("2037-01-01") });
  assert.equal(first.name, name);
  assert.equal(first.keyType, "RSA");
  assert.equal(first.key.n.length, 384);
  assert.equal(first.properties.vaultUrl, CK_VAULT);
  assert.deepEqual(first.properties.tags, { for: "mail" });
  assert.equal(first.properties.expiresOn.getTime(), new Date("2037-01-01").getTime());
  assert.equal(first.properties.recoverableDays, 90);
  const second = await client.createKey(name, "RSA");
  assert.notEqual(second.properties.version, first.properties.version);
  assert.equal((await client.getKey(name)).id, second.id);
  assert.equal((await client.getKey(name, { version: first.properties.version })).id, first.id);
  const versions = await all(client.listPropertiesOfKeyVersions(name));
  assert.deepEqual(versions.map((v) => v.id), [first.id, second.id]);
  assert.ok((await all(client.listPropertiesOfKeys())).some((k) => k.name === name));
});

test("pages of any size", async () => {
  const names = [];
  for (let i = 0; i < 27; i++) {
    names.push((await client.createEcKey(`js-page-${String(i).padStart(2, "0")}`)).name);
  }
  for (const size of [1, 7, 25]) {
    const found = [];
    for await (const page of client.listPropertiesOfKeys().byPage({ maxPageSize: size })) {
      assert.ok(page.length <= size);
      found.push(...page.map((k) => k.name).filter((name) => name.startsWith("js-page-")));
    }
    assert.deepEqual(found, names);
  }
  await assert.rejects(async () => {
    for await (const page of client.listPropertiesOfKeys().byPage({ maxPageSize: 26 })) {
      void page;
    }
  }, refused(400, "BadParameter"));
});

test("update and disable", async () => {
  const key = await client.createRsaKey(fresh("update"));
  const changed = await client.updateKeyProperties(key.name, key.properties.version, { enabled: false, keyOps: ["unwrapKey"], tags: { a: "b" } });
  assert.equal(changed.properties.enabled, false);
  assert.deepEqual(changed.keyOperations, ["unwrapKey"]);
  const remote = cryptographyOf(key);
  const wrapped = crypto.publicEncrypt({ key: publicKey(key), oaepHash: "sha256" }, Buffer.from("key"));
  await assert.rejects(remote.unwrapKey("RSA-OAEP-256", wrapped), refused(403, "Forbidden"));
  await client.updateKeyProperties(key.name, { enabled: true });
  assert.equal(Buffer.from((await remote.unwrapKey("RSA-OAEP-256", wrapped)).result).toString(), "key");
});

test("delete, recover, purge", async () => {
  const { name, id } = await client.createEcKey(fresh("delete"));
  const deleting = await client.beginDeleteKey(name, once);
  const deleted = await deleting.pollUntilDone();
  assert.equal(deleted.properties.recoveryId, `${CK_VAULT}/deletedkeys/${name}`);
  assert.equal(deleted.properties.scheduledPurgeDate - deleted.properties.deletedOn, 90 * 24 * 3600 * 1000);
  await assert.rejects(client.getKey(name), refused(404, "KeyNotFound"));
  await assert.rejects(client.createEcKey(name), refused(409, "Conflict"));
  assert.ok((await all(client.listDeletedKeys())).some((k) => k.name === name));
  const recovering = await client.beginRecoverDeletedKey(name, once);
  assert.equal((await recovering.pollUntilDone()).id, id);
  await (await client.beginDeleteKey(name, once)).pollUntilDone();
  await client.purgeDeletedKey(name);
  await assert.rejects(client.getDeletedKey(name), refused(404, "KeyNotFound"));
});

test("backup and restore", async () => {
  const { name, id } = await client.createRsaKey(fresh("backup"));
  await client.createRsaKey(name);
  const blob = await client.backupKey(name);
  await assert.rejects(client.restoreKeyBackup(blob), refused(409, "Conflict"));
  await (await client.beginDeleteKey(name, once)).pollUntilDone();
  await client.purgeDeletedKey(name);
  await client.restoreKeyBackup(blob);
  const versions = await all(client.listPropertiesOfKeyVersions(name));
  assert.equal(versions.length, 2);
  assert.equal(versions[0].id, id);
  blob[blob.length - 1] ^= 1;
  await assert.rejects(client.restoreKeyBackup(blob), refused(400, "BadParameter"));
});

test("rotate, and its policy", async () => {
  const key = await client.createEcKey(fresh("rotate"), { curve: "P-384", tags: { keep: "me" } });
  const policy = await client.updateKeyRotationPolicy(key.name, { expiresIn: "P90D", lifetimeActions: [{ action: "Rotate", timeBeforeExpiry: "P30D" }] });
  assert.equal(policy.expiresIn, "P90D");
  assert.deepEqual((await client.getKeyRotationPolicy(key.name)).lifetimeActions, [{ action: "Rotate", timeAfterCreate: undefined, timeBeforeExpiry: "P30D" }]);
  const rotated = await client.rotateKey(key.name);
  assert.notEqual(rotated.id, key.id);
  assert.equal(rotated.key.crv, "P-384");
  assert.deepEqual(rotated.properties.tags, { keep: "me" });
  assert.equal(rotated.properties.expiresOn - rotated.properties.createdOn, 90 * 24 * 3600 * 1000);
});

test("import", async () => {
  const { privateKey } = crypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
  const members = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];
  const exported = privateKey.export({ format: "jwk" });
  const jwk = { kty: "RSA", ...Object.fromEntries(members.map((m) => [m, Buffer.from(exported[m], "base64url")])) };
  const key = await client.importKey(fresh("import"), jwk);
  const { result } = await new CryptographyClient(key.id, credential()).decrypt({
    algorithm: "RSA-OAEP-256",
    ciphertext: crypto.publicEncrypt({ key: crypto.createPublicKey(privateKey), oaepHash: "sha256" }, Buffer.from("brought along")),
  });
  assert.equal(Buffer.from(result).toString(), "brought along");
  const remote = cryptographyOf(key);
  const { RSA_NO_PADDING, RSA_PKCS1_OAEP_PADDING } = crypto.constants;
  for (const [algorithm, oaepHash] of [["RSA-OAEP-256", "sha256"], ["RSA-OAEP", "sha1"]]) {
    const wrapped = Buffer.from((await remote.wrapKey(algorithm, Buffer.from("by the vault"))).result);
    assert.equal(crypto.privateDecrypt({ key: privateKey, padding: RSA_PKCS1_OAEP_PADDING, oaepHash }, wrapped).toString(), "by the vault", algorithm);
  }
  const wrapped = Buffer.from((await remote.wrapKey("RSA1_5", Buffer.from("by the vault"))).result);
  const block = crypto.privateDecrypt({ key: privateKey, padding: RSA_NO_PADDING }, wrapped); // newer Nodes do not open RSA1_5
  assert.deepEqual([...block.subarray(0, 2)], [0, 2]);
  assert.equal(block.subarray(block.indexOf(0, 2) + 1).toString(), "by the vault");
  jwk.d = Buffer.from(jwk.d);
  jwk.d[10] ^= 1;
  await assert.rejects(client.importKey(fresh("import"), jwk), refused(400, "BadParameter"));
});

for (const size of [2048, 3072, 4096]) {
  test(`wrap and unwrap under RSA ${size}`, async () => {
    const key = await client.createRsaKey(fresh("wrap"), { keySize: size });
    const remote = cryptographyOf(key);
    const secret = crypto.randomBytes(32);
    const paddings = {
      "RSA-OAEP-256": { oaepHash: "sha256" },
      "RSA-OAEP": { oaepHash: "sha1" },
      RSA1_5: { padding: crypto.constants.RSA_PKCS1_PADDING },
    };
    for (const [algorithm, padding] of Object.entries(paddings)) {
      const byNode = crypto.publicEncrypt({ key: publicKey(key), ...padding }, secret);
      assert.deepEqual(Buffer.from((await remote.unwrapKey(algorithm, byNode)).result), secret, algorithm);
      const byVault = await remote.wrapKey(algorithm, secret);
      assert.equal(byVault.keyID, key.id);
      assert.deepEqual(Buffer.from((await remote.unwrapKey(algorithm, byVault.result)).result), secret, algorithm);
      const encrypted = await remote.encrypt({ algorithm, plaintext: secret });
      assert.deepEqual(Buffer.from((await remote.decrypt({ algorithm, ciphertext: encrypted.result })).result), secret, algorithm);
    }
    const { result } = await remote.wrapKey("RSA-OAEP-256", secret);
    result[20] ^= 1;
    await assert.rejects(remote.unwrapKey("RSA-OAEP-256", result), refused(400, "BadParameter"));
  });
}

for (const [what, make, algorithms] of [
  ["RSA 2048", () => client.createRsaKey(fresh("sign")), ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]],
  ["P-256", () => client.createEcKey(fresh("sign"), { curve: "P-256" }), ["ES256"]],
  ["P-384", () => client.createEcKey(fresh("sign"), { curve: "P-384" }), ["ES384"]],
  ["P-521", () => client.createEcKey(fresh("sign"), { curve: "P-521" }), ["ES512"]],
  ["P-256K", () => client.createEcKey(fresh("sign"), { curve: "P-256K" }), ["ES256K"]],
]) {
  test(`sign and verify under ${what}`, async () => {
    const key = await make();
    const remote = cryptographyOf(key);
    const data = Buffer.from("what is signed");
    for (const algorithm of algorithms) {
      const { result } = await remote.signData(algorithm, data);
      const hash = `sha${algorithm.slice(2, 5)}`;
      const options = { key: publicKey(key), dsaEncoding: "ieee-p1363" };
      if (algorithm.startsWith("PS")) {
        Object.assign(options, { padding: crypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST });
      }
      assert.ok(crypto.verify(hash, data, options, result), algorithm);
      const digest = crypto.createHash(hash).update(data).digest();
      assert.equal((await remote.verify(algorithm, digest, result)).result, true, algorithm);
      digest[0] ^= 1;
      assert.equal((await remote.verify(algorithm, digest, result)).result, false, algorithm);
    }
  });
}

test("random bytes", async () => {
  const [a, b] = [await client.getRandomBytes(32), await client.getRandomBytes(32)];
  assert.equal(a.length, 32);
  assert.notDeepEqual(a, b);
});

test("a date beyond 32 bits is refused, not cut", async () => {
  // This client squeezes times into 32 bits before it sends them.
  await assert.rejects(client.createRsaKey(fresh("date"), { expiresOn: new Date("9999-12-31") }), refused(400, "BadParameter"));
});

test("what cannot be done says so", async () => {
  await assert.rejects(client.createKey(fresh("bad"), "oct"), refused(400, "BadParameter"));
  await assert.rejects(client.createRsaKey(fresh("bad"), { keySize: 1024 }), refused(400, "BadParameter"));
  await assert.rejects(client.createRsaKey(fresh("bad"), { notBefore: new Date("2030-01-02"), expiresOn: new Date("2030-01-01") }), refused(400, "BadParameter"));
  await assert.rejects(client.createRsaKey("no good name"), refused(400, "BadParameter"));
  await assert.rejects(client.releaseKey((await client.createEcKey(fresh("release"))).name, "target"), refused(403, "Forbidden"));
  const stranger = new KeyClient(CK_VAULT, credential("not the secret"), { retryOptions: { maxRetries: 0 } });
  await assert.rejects(stranger.getKey("any"), /AADSTS7000215/);
});
