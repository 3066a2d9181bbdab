import type { Question, Served } from './protocol.ts';
import type { Answer, Service, Words } from './services.ts';

/** Asks the service in the worker. */
export type Ask = <S extends Service>(service: S, words: Words<S>) => Promise<Answer<S>>;

/** `send` brings questions to the worker; what comes back from there goes to `served`. */
export function asking(send: (question: Question) => void): { ask: Ask; served: (answer: Served) => void } {
  const waiting = new Map<number, (served: Served) => void>();
  let newest = 0;
  const ask: Ask = (service, words) => {
    newest += 1;
    const request = newest;
    return new Promise((resolve, reject) => {
      waiting.set(request, ({ answer, bug }) => {
        if (bug === undefined) resolve(answer as Answer<typeof service>);
        else reject(new Error(`This is a bug in vfioplan: ${bug}`));
      });
      send({ ask: 'service', request, service, words });
    });
  };
  const served = (answer: Served) => {
    waiting.get(answer.request)?.(answer);
    waiting.delete(answer.request);
  };
  return { ask, served };
}
