// pg-boss: jobs in PostgreSQL, fetched in batches as large as what is under way at once.
const PgBoss = require('pg-boss');
const work = require('./work');

const boss = new PgBoss({ connectionString: process.env.BENCH_DATABASE, max: 10 });
boss.on('error', error => console.error(error.message));
let started;
const start = () => (started ??= boss.start().then(() => boss.createQueue(work.queue)));

work.main({
  add: async several => {
    await start();
    await boss.insert(several.map(data => ({ name: work.queue, data, retryLimit: 5, retryBackoff: true })));
  },
  work: async () => {
    await start();
    const deliver = work.delivering();
    const options = { batchSize: work.concurrency, pollingIntervalSeconds: 0.5 };
    await boss.work(work.queue, options, jobs => Promise.all(jobs.map(job => deliver(job.data))));
    work.atSigterm(() => boss.stop());
  },
});
