/** Does something once at a time: what is wanted while it is under way is ignored, like the second of a double click. */
export class Singly {
  private busy = false;

  async run(action: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      await action();
    } finally {
      this.busy = false;
    }
  }
}
