/** Which methods an address is served by, to tell 405 from 404. Consulted only when no route matched, hence a plain search. */
export class RouteIndex {
  private readonly routes: { method: string; segments: readonly string[] }[] = [];

  add(method: string | readonly string[], pattern: string): void {
    for (const one of typeof method === 'string' ? [method] : method) {
      this.routes.push({ method: one, segments: pattern.split('/') });
    }
  }

  /** Sorted methods; empty when nobody serves the address. */
  methodsOf(url: string): readonly string[] {
    const [path = ''] = url.split('?', 1);
    const segments = path.split('/');
    const methods = this.routes.filter((route) => matches(route.segments, segments)).map((route) => route.method);
    return [...new Set(methods)].sort();
  }
}

const matches = (pattern: readonly string[], segments: readonly string[]): boolean =>
  pattern.length === segments.length &&
  pattern.every((part, index) => (part.startsWith(':') ? segments[index] !== '' : part === segments[index]));
