// What every peer does for a trigger: the same body, headers and two statements as the others.
const crypto = require('crypto');
const fs = require('fs');
const { Pool } = require('undici');
const pg = require('pg');

const { BENCH_QUEUE, BENCH_CONCURRENCY, BENCH_CONNECTIONS, BENCH_DATABASE, BENCH_ENDPOINT, BENCH_AUTHORITY } = process.env;
const HEADERS = {
  authorization: 'Bearer T' + 'x'.repeat(1000),
  'x-api-key': 'acme-key',
  'x-gw-ims-org-id': 'ACME@AdobeOrg',
  'x-sandbox-name': 'prod',
  'content-type': 'application/json',
};
// Committed before the call.
const INTENT = "insert into deliveries (request_id, campaign, state, dispatched_at)"
  + " values ($1, $2, 'sending', clock_timestamp()) on conflict (request_id) do nothing";
// Committed before the job is completed.
const RESULT = "update deliveries set state = 'accepted', responded_at = clock_timestamp(), http_status = $2,"
  + ' execution_id = $3 where request_id = $1';

const body = number => {
  const address = `person${number}@example.com`;
  const customer = { firstName: 'Ada', lastName: 'Lovelace' };
  const context = { orderId: 'A-' + String(number).padStart(7, '0'), customer, note: 'n'.repeat(210) };
  const channelData = { emailAddress: address };
  const recipient = { type: 'aep', userId: address, namespace: 'email', channelData, context };
  return { requestId: crypto.randomUUID(), campaignId: '0b5c2a4e-6f0d-4f57-9d38-0d6b1f6b7a11', recipients: [recipient] };
};

exports.queue = BENCH_QUEUE;
exports.concurrency = +BENCH_CONCURRENCY;

// Gives what delivers one body.
exports.delivering = () => {
  const url = new URL(BENCH_ENDPOINT);
  const connect = BENCH_AUTHORITY ? { ca: fs.readFileSync(BENCH_AUTHORITY) } : undefined;
  const http = new Pool(url.origin, { connections: exports.concurrency, pipelining: 1, connect });
  const database = new pg.Pool({ connectionString: BENCH_DATABASE, max: +BENCH_CONNECTIONS });
  return async one => {
    await database.query({ name: 'intent', text: INTENT, values: [one.requestId, one.campaignId] });
    const answer = await http.request({ path: url.pathname, method: 'POST', headers: HEADERS, body: JSON.stringify(one) });
    const said = await answer.body.json();
    if (answer.statusCode !== 202) throw new Error('status ' + answer.statusCode);
    await database.query({ name: 'result', text: RESULT, values: [one.requestId, answer.statusCode, said.executionId] });
  };
};

// `node PEER publish COUNT` fills its queue by `add`, a thousand at once, and prints the request ids; without these
// words `work` begins.
exports.main = async ({ add, work }) => {
  if (process.argv[2] !== 'publish') return work();
  const several = Array.from({ length: +process.argv[3] }, (_, number) => body(number));
  for (let first = 0; first < several.length; first += 1000) await add(several.slice(first, first + 1000));
  await new Promise(done => process.stdout.write(several.map(one => one.requestId).join('\n') + '\n', done));
  process.exit(0);
};

exports.atSigterm = stop => process.on('SIGTERM', async () => { await stop(); process.exit(0); });
