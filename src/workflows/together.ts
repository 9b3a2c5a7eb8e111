import { CancellationScope } from '@temporalio/workflow';

/**
 * Runs two branches side by side. When one fails, the other is cancelled and awaited (a begin of it may still be running),
 * and the first cause is thrown. `Promise.all` would reject while its sibling still runs.
 */
export async function together<A, B>(left: () => Promise<A>, right: () => Promise<B>): Promise<[A, B]> {
  return CancellationScope.cancellable(async () => {
    const scope = CancellationScope.current();
    let first: { readonly cause: unknown } | undefined;
    const guarded = async <T>(branch: () => Promise<T>): Promise<T> => {
      try {
        return await branch();
      } catch (cause) {
        first ??= { cause };
        scope.cancel();
        throw cause;
      }
    };
    const [a, b] = await Promise.allSettled([guarded(left), guarded(right)]);
    if (first) throw first.cause;
    if (a.status === 'rejected') throw a.reason;
    if (b.status === 'rejected') throw b.reason;
    return [a.value, b.value];
  });
}
