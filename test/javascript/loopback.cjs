// Every name below .localhost is this machine, as RFC 6761 says; the resolver of glibc does not know it.
const dns = require("node:dns");

const { lookup } = dns;
dns.lookup = (hostname, options, callback) => {
  if (typeof options === "function") {
    [options, callback] = [{}, options];
  }
  if (!hostname.endsWith(".localhost")) {
    return lookup(hostname, options, callback);
  }
  const found = { address: "127.0.0.1", family: 4 };
  setImmediate(() => (options.all ? callback(null, [found]) : callback(null, found.address, found.family)));
};
