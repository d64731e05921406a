/** Runs actions one after the other, in the order they come. */

/** Runs an action when those before it have ended, however they ended; returns its result. */
export type InTurn = <T>(action: () => Promise<T>) => Promise<T>;

/** Makes a queue of actions. */
export function createInTurn(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return function inTurn(action) {
    const result = last.then(action);
    last = result.catch(() => {});
    return result;
  };
}
