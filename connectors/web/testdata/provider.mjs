// A real OpenID provider for the tests: node provider.mjs PORT TTL
import { pathToFileURL } from 'node:url';
const [port, ttl, home] = [process.argv[2], Number(process.argv[3]), process.argv[4]];
const { default: Provider } = await import(pathToFileURL(home + '/node_modules/oidc-provider/lib/index.js'));
const issuer = `http://127.0.0.1:${port}`;
const redirect_uris = ['http://127.0.0.1/callback', 'http://localhost/callback', 'http://[::1]/callback'];
const grant_types = ['authorization_code', 'refresh_token'];
const provider = new Provider(issuer, {
  clients: [
    { client_id: 'desktop', application_type: 'native', token_endpoint_auth_method: 'none', redirect_uris, grant_types },
    { client_id: 'confidential', client_secret: 'practice-only-client', application_type: 'native', token_endpoint_auth_method: 'client_secret_basic', redirect_uris, grant_types },
  ],
  pkce: { required: () => true },
  scopes: ['openid', 'offline_access', 'profile', 'email'],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'] },
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id, name: 'Mira Lindqvist', preferred_username: id, email: `${id}@practice.example` }) }),
  issueRefreshToken: async (ctx, client, code) => code.scopes.has('offline_access'),
  rotateRefreshToken: true,
  conformIdTokenClaims: true,
  ttl: { AccessToken: ttl, AuthorizationCode: 60, RefreshToken: 3600, Grant: 3600, Session: 3600, Interaction: 600, IdToken: 600 },
  features: { devInteractions: { enabled: true }, revocation: { enabled: true }, userinfo: { enabled: true } },
  cookies: { keys: ['practice-only-cookie-key'] },
});
// An API behind it, with rows.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/api/')) return next();
  const raw = (ctx.get('authorization') || '').replace(/^Bearer /, '');
  const token = raw && await provider.AccessToken.find(raw);
  if (!token || token.isExpired) { ctx.status = 401; ctx.body = { error: 'invalid_token' }; return; }
  if (ctx.path === '/api/customers') ctx.body = { value: Array.from({ length: 25 }, (_, i) => ({ id: i + 1, name: `Customer ${i + 1}`, active: i % 2 === 0 })) };
  else if (ctx.path === '/api/closed') { ctx.status = 403; ctx.body = { message: 'not for you' }; }
  else { ctx.status = 404; ctx.body = { message: 'no such thing' }; }
});
provider.listen(Number(port), '127.0.0.1');
