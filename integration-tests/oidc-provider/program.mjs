// A certified OpenID provider on loopback. Refresh tokens rotate, and the reuse of one revokes its grant. Sign-outs are sent to the
// client's back channel.
// `node program.mjs <port> <client as JSON> <options as JSON>`; the counts so far are at /counts.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';

const [port, client, options] = process.argv.slice(2);
const {
  algorithm, issuer, access_token_seconds: accessTokenSeconds, logout_tokens_have_sub: logoutTokensHaveSub,
} = JSON.parse(options);

const counts = {
  refreshes: 0, rotations: 0, reuses: 0, revocations: 0, revoked_families: 0, logouts_taken: 0, logouts_refused: 0,
  logouts_with_sub: 0,
};

// Entries are looked up by an id or by one of these members. Nothing expires within a test.
const stored = new Map();
const first = (matches) => [...stored.values()].find(matches)?.payload;

class InMemory {
  constructor(model) {
    this.model = model;
  }

  async upsert(id, payload) {
    stored.set(`${this.model}:${id}`, { model: this.model, payload });
  }

  async find(id) {
    return stored.get(`${this.model}:${id}`)?.payload;
  }

  async findByUid(uid) {
    return first(({ model, payload }) => model === this.model && payload.uid === uid);
  }

  async findByUserCode(userCode) {
    return first(({ model, payload }) => model === this.model && payload.userCode === userCode);
  }

  async consume(id) {
    stored.get(`${this.model}:${id}`).payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    stored.delete(`${this.model}:${id}`);
  }

  async revokeByGrantId(grantId) {
    for (const [key, { model, payload }] of stored) {
      if (model === this.model && payload.grantId === grantId) {
        stored.delete(key);
      }
    }
  }
}

const { privateKey } = algorithm === 'RS256'
  ? generateKeyPairSync('rsa', { modulusLength: 2048 })
  : generateKeyPairSync('ec', { namedCurve: 'P-256' });

const provider = new Provider(issuer, {
  adapter: InMemory,
  clients: [{
    grant_types: ['authorization_code', 'refresh_token'],
    id_token_signed_response_alg: algorithm,
    require_auth_time: true,
    response_types: ['code'],
    ...JSON.parse(client),
  }],
  cookies: { keys: [randomBytes(32).toString('hex')] },
  features: { backchannelLogout: { enabled: true }, revocation: { enabled: true } },
  // The default fetch function refuses loopback addresses, where the client is.
  fetch(url, { dispatcher, ...options }) {
    const logoutToken = options.body?.get('logout_token');
    if (logoutToken && 'sub' in JSON.parse(Buffer.from(logoutToken.split('.')[1], 'base64url'))) {
      counts.logouts_with_sub += 1;
    }
    return globalThis.fetch(url, options);
  },
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: algorithm, use: 'sig' }] },
  rotateRefreshToken: true,
  ttl: { AccessToken: accessTokenSeconds, Grant: 86400, IdToken: 3600, Interaction: 3600, RefreshToken: 86400, Session: 86400 },
});

if (!logoutTokensHaveSub) {
  // OpenID Connect Back-Channel Logout 1.0, section 2.4: a logout token has a `sub`, a `sid` or both.
  const { backchannelLogout } = provider.Client.prototype;
  provider.Client.prototype.backchannelLogout = function bySid(sub, sid) {
    return backchannelLogout.call(this, undefined, sid);
  };
}

provider.on('refresh_token.consumed', () => { counts.rotations += 1; });
provider.on('backchannel.success', () => { counts.logouts_taken += 1; });
provider.on('backchannel.error', (ctx, error) => {
  counts.logouts_refused += 1;
  console.error('back channel:', error.message);
});
provider.on('grant.revoked', () => { counts.revoked_families += 1; });
provider.on('grant.error', (ctx, error) => {
  if (error.error_detail === 'refresh token already used') {
    counts.reuses += 1;
  }
});

provider.use(async (ctx, next) => {
  if (ctx.path === '/counts') {
    ctx.body = counts;
    return;
  }
  await next();
  if (ctx.oidc?.route === 'revocation') {
    counts.revocations += 1;
  }
  if (ctx.oidc?.params?.grant_type === 'refresh_token') {
    counts.refreshes += 1;
  }
});

provider.listen(Number(port), '127.0.0.1');
