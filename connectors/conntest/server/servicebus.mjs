// What Azure Service Bus adds to AMQP 1.0, as far as its documentation tells:
// $cbs takes SAS tokens, and <entity>/$management peeks at messages.
import { createHmac, timingSafeEqual } from 'node:crypto';

export function serviceBus(rhea, options, queues, state) {
  const now = () => Date.now() / 1000 + (options.ahead || 0);
  const below = (path, root) => root === '' || path === root || path.startsWith(root + '/');
  const pathOf = (uri) => decodeURIComponent(uri).replace(/^[a-z]+:\/\/[^/]*\/?/i, '').toLowerCase();
  Object.assign(state, { tokens: 0, peeked: 0 });

  function refusalOf(token, audience) {
    if (options.refuse.status) return [options.refuse.status, options.refuse.said];
    const [, query] = /^SharedAccessSignature (.*)$/.exec(token) || [];
    if (!query) return [401, 'MalformedToken: The token is malformed.'];
    const part = Object.fromEntries(query.split('&').map((p) => [p.slice(0, p.indexOf('=')), p.slice(p.indexOf('=') + 1)]));
    const policy = options.policies[decodeURIComponent(part.skn || '')];
    const path = pathOf(audience);
    if (policy && !below(path, policy.entity.toLowerCase())) return [401, 'InvalidSignature: The token has an invalid signature.'];
    const want = createHmac('sha256', policy ? policy.key : '').update(part.sr + '\n' + part.se).digest();
    const got = Buffer.from(decodeURIComponent(part.sig || ''), 'base64');
    if (!policy || got.length !== want.length || !timingSafeEqual(got, want)) return [401, 'InvalidSignature: The token has an invalid signature.'];
    if (Number(part.se) < now()) return [401, `ExpiredToken: The token is expired. Expiration time: '${new Date(part.se * 1000).toISOString()}'.`];
    if (!below(path, pathOf(part.sr))) return [401, 'InvalidAudience: The authorization header contains a token with a wrong audience.'];
    if (path !== '' && !queueAt(path)) return [404, `The messaging entity '${audience}' could not be found. To know more visit https://aka.ms/sbResourceMgrExceptions. TrackingId:practice`];
    return null;
  }

  function queueAt(path) {
    for (const [name, messages] of queues) if (name.toLowerCase() === path) return messages;
    return undefined;
  }

  const answersAt = (name) => name === '$cbs' || name.endsWith('/$management');

  function opened(sender) {
    const connection = sender.connection;
    const name = sender.remote.attach.source.address;
    connection.bus ||= { rights: new Map(), replies: new Map(), desks: 0 };
    sender.set_source(sender.remote.attach.source);
    if (name === '$cbs') {
      // Only one pair of links to $cbs may be open on a connection.
      if (connection.bus.desks++) sender.close({ condition: 'amqp:not-allowed', description: `A link to connection '1' $cbs node has already been opened.` });
      sender.on('sender_close', () => connection.bus.desks--);
    } else {
      const path = name.slice(0, -'/$management'.length).toLowerCase();
      const rights = [...connection.bus.rights].filter(([root]) => below(path, root)).flatMap(([, r]) => r);
      if (!rights.includes('Listen')) {
        sender.local.attach.source = null;
        return sender.close({ condition: 'amqp:unauthorized-access', description: `Unauthorized access. 'Listen' claim(s) are required to perform this operation. Resource: 'sb://practice/${path}'. TrackingId:practice` });
      }
    }
    connection.bus.replies.set(sender.remote.attach.target.address, sender);
  }

  function asked({ connection, receiver, message }) {
    const node = receiver.remote.attach.target.address;
    if (!answersAt(node)) return false;
    const reply = (application_properties, body) => connection.bus.replies.get(message.reply_to).send({ correlation_id: message.message_id, application_properties, body });
    const request = message.application_properties;
    if (node === '$cbs') {
      state.tokens++;
      const refused = refusalOf(message.body, request.name);
      if (!refused) {
        const skn = decodeURIComponent(/skn=([^&]*)/.exec(message.body)[1]);
        connection.bus.rights.set(pathOf(request.name), options.policies[skn].rights);
      }
      const [status, said] = refused || [202, 'Accepted'];
      reply({ 'status-code': status, 'status-description': said });
      return true;
    }
    const path = node.slice(0, -'/$management'.length);
    const answer = (options.answers || {})[path];
    if (answer) {
      reply({ statusCode: answer.status, statusDescription: answer.said, errorCondition: answer.condition });
    } else if (request.operation !== 'com.microsoft:peek-message') {
      reply({ statusCode: 501, statusDescription: 'not in the stand-in' });
    } else {
      const all = queueAt(path.toLowerCase());
      const from = Number(message.body['from-sequence-number']);
      const found = all.map((m, i) => [i + 1, m]).filter(([n]) => n >= from).slice(0, message.body['message-count']);
      state.peeked += found.length;
      if (!found.length) reply({ statusCode: 204, statusDescription: 'No content' });
      else reply({ statusCode: 200, statusDescription: 'OK' }, { messages: found.map(([n, m]) => ({ message: packed(n, m) })) });
    }
    return true;
  }

  function packed(n, { data, ...m }) {
    const annotations = { ...m.message_annotations, 'x-opt-sequence-number': rhea.types.wrap_long(n), 'x-opt-enqueued-time': rhea.types.wrap_timestamp(1700000000000 + n * 1000) };
    return rhea.message.encode({ ...m, body: data === undefined ? m.body : rhea.message.data_section(Buffer.from(data)), message_annotations: annotations });
  }

  return { answersAt, opened, asked };
}
