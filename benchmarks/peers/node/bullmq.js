// BullMQ: jobs in Redis or Valkey.
const { Queue, Worker } = require('bullmq');
const work = require('./work');

const { hostname, port, password } = new URL(process.env.BENCH_BROKER);
const connection = { host: hostname, port: +port, password, maxRetriesPerRequest: null };
const opts = { attempts: 5, backoff: { type: 'exponential', delay: 500 }, removeOnComplete: true };

work.main({
  add: several => new Queue(work.queue, { connection }).addBulk(several.map(data => ({ name: 'deliver', data, opts }))),
  work: () => {
    const deliver = work.delivering();
    const worker = new Worker(work.queue, job => deliver(job.data), { connection, concurrency: work.concurrency });
    worker.on('failed', (job, error) => console.error(error.message));
    work.atSigterm(() => worker.close());
  },
});
