import { pathToFileURL } from 'node:url';
import { packaged } from './home.js';

/** What scripts/python-environment.mjs offers; it is plain Node because it runs before anything is built. */
interface PythonEnvironment {
  /** Paths of the pinned programs. */
  readonly temporal: string;
  readonly uv: string;
  /** Python that can run the package `conversion`. */
  readonly conversionPython: string;
  /** Makes the environment of {@link conversionPython}, once. */
  readonly ensureConversion: () => Promise<void>;
  /** What uv needs to reach the package index that pip is configured for. */
  readonly packageIndexEnvironment: () => Promise<Record<string, string>>;
}

/** The pinned Python environments. */
export async function pythonEnvironment(): Promise<PythonEnvironment> {
  const module: unknown = await import(pathToFileURL(packaged('scripts', 'python-environment.mjs')).href);
  return module as PythonEnvironment;
}
