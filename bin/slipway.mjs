#!/usr/bin/env node
import { withNode } from './node-version.mjs';

withNode(() => import('./start.mjs'));
