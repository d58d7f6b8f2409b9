import { isTlsTrouble } from '../../functions/core/tls.ts';
import { table } from '../support/table.ts';

table('trouble with TLS, by its code', isTlsTrouble, [
  { reason: 'no certificate that anybody vouches for', given: 'DEPTH_ZERO_SELF_SIGNED_CERT', want: true },
  { reason: 'what answers speaks no TLS', given: 'EPROTO', want: true },
  { reason: 'another version', given: 'ERR_SSL_UNSUPPORTED_PROTOCOL', want: true },
  { reason: 'the network', given: 'ECONNREFUSED', want: false },
  { reason: 'no code at all', given: undefined, want: false },
  { reason: 'no text', given: ['CERT'], want: false },
]);
