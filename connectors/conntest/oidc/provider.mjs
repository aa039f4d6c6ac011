// A real OpenID provider for the tests: node provider.mjs CONFIG.json
import { pathToFileURL } from 'node:url';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
const { port, ttl, home, clients, tls } = JSON.parse(readFileSync(process.argv[2]));
const { default: Provider } = await import(pathToFileURL(home + '/node_modules/oidc-provider/lib/index.js'));
const issuer = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
const redirect_uris = ['http://127.0.0.1/callback', 'http://localhost/callback', 'http://[::1]/callback'];
const grant_types = ['authorization_code', 'refresh_token'];
const device = ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'];
const machine = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
const peer = (ctx) => ctx.socket.getPeerCertificate?.();
const provider = new Provider(issuer, {
  clients: [
    { client_id: 'desktop', application_type: 'native', token_endpoint_auth_method: 'none', redirect_uris, grant_types },
    { client_id: 'confidential', client_secret: 'practice-only-client', application_type: 'native', token_endpoint_auth_method: 'client_secret_basic', redirect_uris, grant_types },
    { client_id: 'television', application_type: 'native', token_endpoint_auth_method: 'none', redirect_uris: [], response_types: [], grant_types: device },
    { client_id: 'printer', client_secret: 'practice-only-client', application_type: 'native', token_endpoint_auth_method: 'client_secret_post', redirect_uris: [], response_types: [], grant_types: device },
    { client_id: 'machine', client_secret: 'practice-only-client', token_endpoint_auth_method: 'client_secret_basic', ...machine },
    ...clients.map((c) => ({ ...machine, ...c })),
  ],
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt', ...(tls ? ['tls_client_auth'] : [])],
  pkce: { required: () => true },
  scopes: ['openid', 'offline_access', 'profile', 'email', 'api.read'],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'] },
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, name: 'Mira Lindqvist', preferred_username: id, email: `${id}@practice.example` }) }),
  issueRefreshToken: async (ctx, client, code) => code.scopes.has('offline_access'),
  rotateRefreshToken: true,
  conformIdTokenClaims: true,
  ttl: { AccessToken: ttl, ClientCredentials: ttl, AuthorizationCode: 60, DeviceCode: 300, RefreshToken: 3600, Grant: 3600, Session: 3600, Interaction: 600, IdToken: 600 },
  features: {
    devInteractions: { enabled: true }, revocation: { enabled: true }, userinfo: { enabled: true }, deviceFlow: { enabled: true }, clientCredentials: { enabled: true },
    ...(tls && { mTLS: {
      enabled: true, tlsClientAuth: true,
      getCertificate: (ctx) => { const c = peer(ctx); return c?.raw && `-----BEGIN CERTIFICATE-----\n${c.raw.toString('base64')}\n-----END CERTIFICATE-----`; },
      certificateAuthorized: (ctx) => ctx.socket.authorized,
      certificateSubjectMatches: (ctx, property, expected) => property === 'tls_client_auth_subject_dn' && `CN=${peer(ctx).subject.CN}` === expected,
    } }),
  },
  cookies: { keys: ['practice-only-cookie-key'] },
});
// An API behind it, with rows.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/api/')) return next();
  const raw = (ctx.get('authorization') || '').replace(/^Bearer /, '');
  const token = raw && (await provider.AccessToken.find(raw) || await provider.ClientCredentials.find(raw));
  if (!token || token.isExpired) { ctx.status = 401; ctx.body = { error: 'invalid_token' }; return; }
  if (ctx.path === '/api/customers') ctx.body = { value: Array.from({ length: 25 }, (_, i) => ({ id: i + 1, name: `Customer ${i + 1}`, active: i % 2 === 0 })) };
  else if (ctx.path === '/api/closed') { ctx.status = 403; ctx.body = { message: 'not for you' }; }
  else { ctx.status = 404; ctx.body = { message: 'no such thing' }; }
});
if (tls) createServer({ cert: tls.cert, key: tls.key, ca: tls.ca, requestCert: true, rejectUnauthorized: false }, provider.callback()).listen(port, '127.0.0.1');
else provider.listen(port, '127.0.0.1');
