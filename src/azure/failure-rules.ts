/**
 * What each error code of Azure, Kubernetes and the registry means for a deployment. One table, so that the same code is never
 * treated in two ways.
 *
 * - `retry`: transient; the activity's time budget bounds it.
 * - `retrySlowly`: may pass, but only when someone or something else acts (quota, permissions, capacity).
 * - `fatal`: asking again cannot help; what was begun is undone now.
 *
 * A code that is not here is retried: a deployment that gives up on a code nobody has seen yet is worse than one that waits.
 */
export type FailureClass = 'retry' | 'retrySlowly' | 'fatal';

export interface FailureRule {
  readonly code: string;
  readonly class: FailureClass;
  /** Why the code is in that class. */
  readonly reason: string;
  /** Narrows the rule to messages that match: one code of Azure's may mean two things. */
  readonly message?: RegExp;
  /** How a person mends it. */
  readonly fix?: string;
}

type Extra = Pick<FailureRule, 'message' | 'fix'>;
const rule =
  (kind: FailureClass) =>
  (code: string, reason: string, extra: Extra = {}): FailureRule => ({
    code,
    class: kind,
    reason,
    ...extra,
  });
const retry = rule('retry');
const slow = rule('retrySlowly');
const fatal = rule('fatal');

const QUOTA = { fix: 'Ask for more quota of that family in that region, or choose another size or region.' };
const GRANT = { fix: 'Grant the identity the role that the message names; a new grant takes minutes to be seen.' };

const ROOM = { fix: 'Make room on the disk of the worker, or start it with SLIPWAY_HOME on another one.' };
const WRITABLE = { fix: 'Start the worker with SLIPWAY_HOME set to a directory that it can write.' };

/** The first rule whose code and message match decides. */
export const FAILURE_RULES: readonly FailureRule[] = [
  // Resource Manager and the providers behind it
  slow('OperationNotAllowed', 'compute reports exhausted quota under this code', { message: /quota/i, ...QUOTA }),
  retry('OperationNotAllowed', 'another operation on the resource is in progress'),
  retry('AnotherOperationInProgress', 'another operation on the resource is in progress'),
  retry('OperationPreempted', 'a newer operation took its place'),
  retry('Conflict', 'the resource is being changed'),
  retry('ResourceBusy', 'the resource is being changed'),
  retry('EtagMismatch', 'someone changed the resource in between: look again'),
  retry('PreconditionFailed', 'someone changed the resource in between: look again'),
  retry('ConditionNotMet', 'someone changed the blob in between: look again'),
  retry('TooManyRequests', 'throttled'),
  retry('SubscriptionRequestsThrottled', 'throttled'),
  retry('ResourceRequestsThrottled', 'throttled'),
  retry('ServerBusy', 'storage is throttling'),
  retry('InternalServerError', 'the service failed'),
  retry('InternalError', 'the service failed'),
  retry('InternalOperationError', 'the service failed'),
  retry('SystemError', 'Azure ML failed, not the job'),
  retry('ServiceError', 'Azure ML failed, not the job'),
  retry('ServiceUnavailable', 'the service is down for a while'),
  retry('BadGateway', 'the service is down for a while'),
  retry('GatewayTimeout', 'the service is down for a while'),
  retry('OperationTimedOut', 'the service did not finish in its own time'),
  retry('ServerTimeout', 'the service did not finish in its own time'),
  retry('RequestTimeout', 'the service did not finish in its own time'),
  retry('ParentResourceNotFound', 'what was just created is not seen everywhere yet'),
  retry('PrincipalNotFound', 'a new identity is not seen everywhere yet'),
  retry('InvalidAuthenticationToken', 'the token ran out on the way: the next request takes a new one'),
  retry('ExpiredAuthenticationToken', 'the token ran out on the way: the next request takes a new one'),
  slow('AuthorizationFailed', 'a permission that was just granted takes minutes to be seen', GRANT),
  slow('LinkedAuthorizationFailed', 'a permission that was just granted takes minutes to be seen', GRANT),
  slow('AuthorizationPermissionMismatch', 'a permission that was just granted takes minutes to be seen', {
    fix: "Grant the identity Storage Blob Data Contributor on the workspace's storage account.",
  }),
  slow('AuthorizationFailure', 'storage refuses the caller or its network', GRANT),
  slow('MissingSubscriptionRegistration', 'the provider may be in registration', {
    fix: 'Register the resource provider that the message names (az provider register).',
  }),
  slow('ErrCode_InsufficientVCPUQuota', 'quota may be freed or raised', QUOTA),
  slow('InsufficientVCPUQuota', 'quota may be freed or raised', QUOTA),
  slow('QuotaExceeded', 'quota may be freed or raised', QUOTA),
  slow('ResourceQuotaExceeded', 'quota may be freed or raised', QUOTA),
  slow('RoleAssignmentLimitExceeded', 'the subscription has as many role assignments as it may', {
    fix: 'Remove role assignments that nobody needs.',
  }),
  slow('PublicIPCountLimitReached', 'quota may be freed or raised', QUOTA),
  retry('AllocationFailed', 'the region has no room at the moment'),
  retry('ZonalAllocationFailed', 'the zone has no room at the moment'),
  retry('OverconstrainedAllocationRequest', 'the region has no room for this size at the moment'),
  retry('OverconstrainedZonalAllocationRequest', 'the zone has no room for this size at the moment'),
  slow('SkuNotAvailable', 'the region has no capacity for this size at the moment', {
    fix: 'Choose another size or region, or wait.',
  }),
  retry('NodePreempted', 'the machine was taken away'),
  retry('Preempted', 'the machine was taken away'),
  retry('VMExtensionProvisioningTimeout', 'a node was slow to start'),
  retry('VMExtensionProvisioningError', 'a node did not start'),
  fatal('BadRequest', 'the request itself is wrong'),
  fatal('InvalidRequest', 'the request itself is wrong'),
  fatal('InvalidRequestContent', 'the request itself is wrong'),
  fatal('InvalidParameter', 'the request itself is wrong'),
  fatal('InvalidTemplate', 'the request itself is wrong'),
  fatal('MissingRequiredParameter', 'the request itself is wrong'),
  fatal('LocationRequired', 'the request itself is wrong'),
  fatal('ValidationError', 'the request itself is wrong'),
  fatal('UserError', 'Azure ML blames the request or the job'),
  fatal('InvalidResourceName', 'the name breaks a rule of the service'),
  fatal('InvalidResourceReference', 'the request names something that is not there'),
  fatal('PropertyChangeNotAllowed', 'the property is fixed once the resource exists'),
  fatal('VMSizeNotSupported', 'the size is not offered there', { fix: 'Choose another cluster.vmSize.' }),
  fatal('K8sVersionNotSupported', 'the version is not offered there', {
    fix: 'Choose another cluster.kubernetesVersion, or leave it out.',
  }),
  fatal('LocationNotAvailableForResourceType', 'the region does not offer it', {
    fix: 'Choose another cluster.region.',
  }),
  fatal('NoRegisteredProviderFound', 'the region or the API version does not offer it'),
  fatal('SubscriptionNotFound', 'it does not appear by waiting', { fix: 'Check subscription_id in config.json.' }),
  fatal('InvalidSubscriptionId', 'it does not become valid by waiting', {
    fix: 'Check subscription_id in config.json.',
  }),
  fatal('ResourceGroupNotFound', 'it does not appear by waiting', { fix: 'Check resource_group in config.json.' }),
  fatal('ResourceNotFound', 'what the deployment builds on does not appear by waiting'),
  fatal('RequestDisallowedByPolicy', 'a policy of the organisation forbids it', {
    fix: 'Ask whoever owns the policy that the message names.',
  }),
  fatal('ResourceGroupBeingDeleted', 'nothing can be made in it any more', {
    fix: 'Check resource_group in config.json.',
  }),
  fatal('RoleAssignmentUpdateNotPermitted', 'an assignment of that name grants something else, and cannot be changed', {
    fix: 'Remove the role assignment that the message names.',
  }),
  fatal('ScopeLocked', 'a lock forbids it', { fix: 'Remove the lock that the message names.' }),
  fatal('ReadOnlyDisabledSubscription', 'the subscription is disabled'),

  // Sign-in: an undo would have to sign in too, so these wait for whoever can mend it
  retry('network_error', 'the authority cannot be reached'),
  retry('endpoints_resolution_error', 'the authority cannot be reached'),
  retry('server_error', 'the authority failed'),
  retry('temporarily_unavailable', 'the authority is busy'),
  slow('invalid_client', 'the secret is wrong or has run out', {
    fix: 'Start the worker with a valid AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.',
  }),
  slow('unauthorized_client', 'the tenant does not know the client', {
    fix: 'Start the worker with a valid AZURE_TENANT_ID and AZURE_CLIENT_ID.',
  }),
  slow('CredentialUnavailable', 'nobody is signed in', { fix: 'Run az login, or set the AZURE_* variables.' }),

  // Storage
  fatal('ContainerNotFound', 'the workspace lost its blob container'),
  retry('ContainerBeingDeleted', 'the container is being changed'),
  retry('Md5Mismatch', 'the bytes were damaged on the way'),

  // Registry (the OCI distribution specification)
  slow('UNAUTHORIZED', 'the right to use the registry was just granted, or is missing', GRANT),
  slow('DENIED', 'the right to use the registry was just granted, or is missing', GRANT),
  retry('TOOMANYREQUESTS', 'throttled'),
  retry('BLOB_UPLOAD_UNKNOWN', 'the upload session was lost: a new one is begun'),
  retry('BLOB_UPLOAD_INVALID', 'the upload session was lost: a new one is begun'),
  retry('DIGEST_INVALID', 'the bytes were damaged on the way'),
  retry('SIZE_INVALID', 'the bytes were damaged on the way'),
  retry('MANIFEST_BLOB_UNKNOWN', 'a layer was removed in between: it is sent again'),
  fatal('MANIFEST_INVALID', 'the manifest itself is wrong'),
  fatal('NAME_INVALID', 'the name breaks a rule of the registry'),
  fatal('TAG_INVALID', 'the tag breaks a rule of the registry'),

  // The worker's own machine (errno)
  slow('ENOSPC', 'the disk of the worker is full', ROOM),
  slow('EDQUOT', 'the worker’s quota on its disk is used up', ROOM),
  slow('EROFS', 'the worker’s SLIPWAY_HOME is on a file system that is read-only', WRITABLE),
  slow('EACCES', 'the worker may not write to its SLIPWAY_HOME', WRITABLE),
  slow('ENOTDIR', 'a part of the path of the worker’s SLIPWAY_HOME is a file', WRITABLE),

  // Kubernetes (the reason of a Status)
  retry('Timeout', 'the API server was too slow'),
  retry('Unauthorized', 'the cluster credential ran out: the next look fetches it again'),
  slow('Forbidden', 'a permission was just granted, or a quota of the namespace is used up', GRANT),
  fatal('Invalid', 'the object itself is wrong'),
  fatal('MethodNotAllowed', 'the API server does not offer it'),
];

/** What decides when a code is unknown: the HTTP status that came with it. */
export const STATUS_RULES: Readonly<Record<number, Omit<FailureRule, 'code'>>> = {
  401: { class: 'retrySlowly', reason: 'the identity is not accepted yet, or no more' },
  403: { class: 'retrySlowly', reason: 'a permission that was just granted takes minutes to be seen', ...GRANT },
  404: { class: 'fatal', reason: 'what the deployment builds on does not appear by waiting' },
};

const UNKNOWN: Omit<FailureRule, 'code'> = { class: 'retry', reason: 'an unknown failure may be transient' };

/** The rule for a code, its message and its HTTP status. Unknown codes go by the status, then are retried. */
export function ruleFor(code: string, message = '', status?: number): Omit<FailureRule, 'code'> {
  const known = FAILURE_RULES.find(
    (rule) => rule.code === code && (rule.message === undefined || rule.message.test(message)),
  );
  return known ?? (status === undefined ? undefined : STATUS_RULES[status]) ?? UNKNOWN;
}
