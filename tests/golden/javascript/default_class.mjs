/** The default export has no name. */
export default class extends Base {
  run() { return 1; }
}
