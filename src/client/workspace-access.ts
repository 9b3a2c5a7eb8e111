import type { Client } from '@temporalio/client';
import type { AzureConnection } from '../azure/connection.js';
import type { WorkspacePlace } from '../azure/workspace.js';

/** What it takes to read what a workspace holds and what was done to it. */
export interface WorkspaceAccess {
  readonly temporal: Client;
  readonly azure: AzureConnection;
  readonly place: WorkspacePlace;
}
