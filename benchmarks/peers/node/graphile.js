// graphile-worker: jobs in PostgreSQL; a local queue, and completions in batches.
const { run, makeWorkerUtils, Logger } = require('graphile-worker');
const work = require('./work');

const connectionString = process.env.BENCH_DATABASE;
let utils;
const worker = {
  connectionString,
  concurrentJobs: work.concurrency,
  maxPoolSize: 10,
  pollInterval: 1000,
  localQueue: { size: work.concurrency * 2, refetchDelay: { durationMs: 10 } },
  completeJobBatchDelay: 5,
  failJobBatchDelay: 5,
  preparedStatements: true,
};

work.main({
  add: async several => {
    if (!utils) await (utils = await makeWorkerUtils({ connectionString })).migrate();
    await utils.addJobs(several.map(payload => ({ identifier: 'deliver', payload, maxAttempts: 5 })));
  },
  work: async () => {
    const deliver = work.delivering();
    const logger = new Logger(() => (level, message) => { if (level === 'error') console.error(message); });
    const runner = await run({ noHandleSignals: true, logger, taskList: { deliver: one => deliver(one) }, preset: { worker } });
    work.atSigterm(() => runner.stop());
  },
});
