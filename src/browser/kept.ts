/** Loads each thing at its first use and keeps it; what failed is tried again at the next use. */
export class Kept<Name, Thing> {
  readonly #load: (name: Name) => Promise<Thing>;
  readonly #kept = new Map<Name, Promise<Thing>>();

  constructor(load: (name: Name) => Promise<Thing>) {
    this.#load = load;
  }

  get(name: Name): Promise<Thing> {
    const kept = this.#kept.get(name);
    if (kept) return kept;
    const loading = this.#load(name);
    this.#kept.set(name, loading);
    loading.catch(() => this.#kept.delete(name));
    return loading;
  }
}
