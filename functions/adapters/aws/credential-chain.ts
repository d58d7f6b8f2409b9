/** A module of its own, so that bundles hold the part of the package that is used, and load it late. */
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { verifiedTls } from '../../core/tls.ts';

/** What the SDK would use by itself, with checked certificates where it asks STS or SSO. */
export const credentialChain = () => defaultProvider({ clientConfig: { requestHandler: { httpsAgent: verifiedTls } } });
