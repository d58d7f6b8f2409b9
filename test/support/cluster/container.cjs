/**
 * What a container changes for the program in it, done inside Node: names of services, and files that are mounted.
 * Loaded by NODE_OPTIONS in front of the program; POD holds `{hosts: name → address, mounts: path → directory}`.
 */
const child = require('node:child_process');
const dns = require('node:dns');
const fs = require('node:fs');

const { hosts, mounts } = JSON.parse(process.env.POD);

const { lookup } = dns;
dns.lookup = (name, options, callback = options) => {
  const address = hosts[name];
  if (address === undefined) return lookup(name, options, callback);
  process.nextTick(() => (options.all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4)));
};

const outside = (path) => {
  const mount = Object.keys(mounts).find((mount) => path === mount || String(path).startsWith(`${mount}/`));
  return mount === undefined ? path : mounts[mount] + path.slice(mount.length);
};
for (const [module, names] of [
  [fs, ['accessSync', 'existsSync', 'readFileSync', 'statSync']],
  [fs.promises, ['readFile', 'stat']],
])
  for (const name of names) {
    const original = module[name];
    module[name] = (path, ...rest) => original(outside(path), ...rest);
  }

// the runner gives its children an environment of its own making
const { fork } = child;
child.fork = (file, args, options) => {
  const { NODE_OPTIONS, POD } = process.env;
  return fork(file, args, { ...options, env: { ...options.env, NODE_OPTIONS, POD } });
};
