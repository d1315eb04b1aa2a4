/*!
 * Copyright (c) 2021 Example
 * MIT Licensed
 */
'use strict';

const fs = require('fs');

/**
 * Read a file.
 * @param {string} name - which one
 * @returns {Promise<Buffer>} its bytes
 */
async function read(name) {
  return fs.promises.readFile(name);
}

function* numbers(limit) {
  for (let i = 0; i < limit; i++) yield i;
}

// Doubles a number.
const double = (x) => x * 2;

const add = (a, b) => a + b,
  subtract = function (a, b) { return a - b; };

export const memoized = memo((key) => {
  return key;
});

/** A queue of jobs. */
export class Queue extends Base {
  static limit = 5;
  #jobs = [];

  constructor(jobs) {
    super();
    this.#jobs = jobs;
  }

  /** Adds one. */
  push(job) {
    const wrap = () => job;
    this.#jobs.push(wrap);
  }

  get length() { return this.#jobs.length; }

  static async from(list) { return new Queue(list); }

  onDone = () => {
    this.push(null);
  };

  *[Symbol.iterator]() { yield* this.#jobs; }
}

const api = {
  base: '/api',
  get(url) { return fetch(url); },
  post: async function (url, body) { return fetch(url, { body }); },
  nested: {
    remove: (url) => fetch(url, { method: 'DELETE' }),
  },
};

exports.start = function start(port) {
  return port;
};

Queue.prototype.clear = function () {
  this.length = 0;
};

module.exports.stop = () => {};

const Anonymous = class { run() { return 1; } };

export default function () {
  return <div onClick={() => add(1, 2)}>hello</div>;
}


app.get('/', (req, res) => {
  res.send('hi');
});

stream.on('data', function keepChunk(chunk) {
  chunks.push(chunk);
});

const Panel = React.memo(function Panel(props) {
  return <div>{props.text}</div>;
});

module.exports.load = typeof window !== 'undefined' && function load(url) {
  return fetch(url);
};
