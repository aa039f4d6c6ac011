// A small AMQP 1.0 broker on the rhea library, for tests: argv[2] is a JSON file
// with port, home (where rhea is installed), users, queues and how it behaves.
// The address "$state" hands out one message with what happened so far.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { serviceBus } from './servicebus.mjs';

const options = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const rhea = createRequire(options.home + '/package.json')('rhea');
const container = rhea.create_container({ id: 'stand-in', non_fatal_errors: [] });

if (options.users) {
  container.sasl_server_mechanisms.enable_plain((user, password) => options.users[user] === password);
}
if (options.anonymous) container.sasl_server_mechanisms.enable_anonymous();

const queues = new Map();
for (const [name, messages] of Object.entries(options.queues || {})) {
  queues.set(name, messages.map((m) => ({ delivery_count: 0, ...m })));
}
const state = { taken: 0, released: 0, accepted: 0, copied: 0, links: 0, sent: 0 };
const bus = options.servicebus && serviceBus(rhea, options.servicebus, queues, state);
const left = (name) => (queues.get(name) || []).length;

container.on('sender_open', ({ sender }) => {
  state.links++;
  const source = sender.remote.attach.source;
  const name = source.address;
  sender.stand_in = { name, copies: source.distribution_mode === 'copy' && !options.deaf, at: 0, given: 0, limit: 0 };
  if (bus && bus.answersAt(name)) return bus.opened(sender);
  // A broker refuses with an attach that has no source, or detaches right after.
  const refuse = (condition, description, later) => {
    if (later) sender.set_source(source);
    else sender.local.attach.source = null;
    sender.close({ condition, description });
  };
  if (name.startsWith('secret')) return refuse('amqp:unauthorized-access', 'not for you');
  if (name.startsWith('locked')) return refuse('amqp:resource-locked', 'exclusive consumer');
  if (name !== '$state' && !queues.has(name)) return refuse('amqp:not-found', 'no such node: ' + name, true);
  sender.set_source({ ...source, distribution_mode: sender.stand_in.copies ? 'copy' : 'move' });
});

// rhea counts credit down when it writes, so what was given is counted here.
function feed(sender) {
  const it = sender.stand_in;
  const sendable = () => it.given < it.limit && ++it.given;
  if (it.name === '$state') {
    if (!it.done && sendable()) {
      it.done = true;
      const all = Object.fromEntries([...queues.keys()].map((k) => [k, left(k)]));
      sender.send({ body: JSON.stringify({ ...state, left: all }) });
    }
    return;
  }
  const queue = queues.get(it.name) || [];
  const more = () => (it.copies ? it.at < queue.length : queue.length > 0);
  while (more() && sendable()) {
    if (it.copies) {
      state.copied++;
      sender.send(queue[it.at++]);
      continue;
    }
    const message = queue.shift();
    state.taken++;
    sender.send(message).stand_in = message;
  }
}

container.on('sender_flow', ({ sender }) => {
  if (bus && bus.answersAt(sender.stand_in.name)) return;
  sender.stand_in.limit = sender.credit + sender.delivery_count;
  feed(sender);
});
container.on('sender_draining', ({ sender }) => {
  sender.set_drained(true);
  sender.connection._register(); // or the answer waits for the next thing to write
});
container.on('accepted', () => { state.accepted++; });
container.on('released', ({ sender, delivery }) => {
  if (!delivery.stand_in) return;
  state.released++;
  delivery.stand_in.delivery_count++;
  (queues.get(sender.stand_in.name) || []).unshift(delivery.stand_in);
});
container.on('receiver_open', ({ receiver }) => { receiver.set_target(receiver.remote.attach.target); });
container.on('message', (context) => {
  if (bus && bus.asked(context)) return;
  state.sent++;
});
for (const event of ['connection_error', 'session_error', 'sender_error', 'protocol_error', 'disconnected', 'error']) container.on(event, () => {});

const settings = { port: options.port, host: '127.0.0.1', properties: { product: 'stand-in', version: '1.0' } };
if (options.tls) Object.assign(settings, { transport: 'tls', cert: options.tls.cert, key: options.tls.key });
if (options.users || options.anonymous) settings.require_sasl = true;
container.listen(settings);
