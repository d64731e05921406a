/** What a caller may do, and whether that is enough for a request: values and one pure decision. */

/** What a key may be good for; `admin` includes all others. */
export const SCOPES = ["read", "download", "embed", "admin"] as const;

/** One of the scopes. */
export type Scope = typeof SCOPES[number];

/** Why a request is not answered. */
export interface Refusal {
  readonly status: 401 | 403 | 404;
  readonly error: string;
}

/** The answer for a customer who does not exist, and for one who may not be seen. */
export const NO_CUSTOMER: Refusal = {
  status: 404,
  error: "Customer not found",
};

/** What whoever sent a request may do. */
export interface Grant {
  /** Those of `admin` are all of them. */
  readonly scopes: ReadonlySet<Scope>;
  /** The only customers that it is good for, by their ids as texts; null for all. */
  readonly customers: ReadonlySet<string> | null;
  /** Whether it comes from a token, which is for the page of one customer. */
  readonly is_token: boolean;
  /** The key that it comes from; null without one. */
  readonly key_id: string | null;
  /** Milliseconds of the epoch; -Infinity when it has no beginning. */
  readonly begins_at: number;
  /** Milliseconds of the epoch; Infinity when it does not end. */
  readonly ends_at: number;
  /** Of a caller without a key that is known: why it gets no more than these scopes. */
  readonly problem: Refusal | null;
}

/** What a request needs. */
export interface Need {
  /** One of them is enough. */
  readonly scopes: readonly Scope[];
  /**
   * The customers that the answer is about: one, all of them, those that it names and
   * the caller may see, or none.
   */
  readonly about: "one" | "every" | "named" | "none";
  /** The id of the one, as a text. */
  readonly customer_id?: string;
}

/** Why a grant is not enough for a request; null when it is. */
export function refusalOf(
  { scopes, customers, is_token, problem }: Grant,
  need: Need,
): Refusal | null {
  if (!need.scopes.some((scope) => scopes.has(scope))) {
    return problem ?? {
      status: 403,
      error: `This needs a key with the scope ${need.scopes.join(" or ")}.`,
    };
  }
  const { about, customer_id } = need;
  if (customers === null || about === "none") return null;
  if (about === "named" && !is_token) return null;
  if (customer_id === undefined) {
    return {
      status: 403,
      error:
        "This is about all customers, and the key or token is for some of them only.",
    };
  }
  return customers.has(customer_id) ? null : NO_CUSTOMER;
}
