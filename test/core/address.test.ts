import { addressIn, isLoopback, isPrivateUrl } from '../../functions/core/address.ts';
import { table } from '../support/table.ts';

table('host and port', addressIn, [
  { reason: 'a name', given: 'kafka-1.example:9092', want: { host: 'kafka-1.example', port: 9092 } },
  { reason: 'a short name', given: 'k:1', want: { host: 'k', port: 1 } },
  { reason: 'an address of IPv4', given: '10.0.0.7:65535', want: { host: '10.0.0.7', port: 65_535 } },
  {
    reason: 'an address of IPv6, without its brackets',
    given: '[fd00::7]:9092',
    want: { host: 'fd00::7', port: 9092 },
  },
  { reason: 'no port is that small', given: 'kafka:0', want: undefined },
  { reason: 'no port is that large', given: 'kafka:65536', want: undefined },
  { reason: 'no port at all', given: 'kafka', want: undefined },
  { reason: 'a port is a number', given: 'kafka:http', want: undefined },
  { reason: 'nothing stands behind it', given: 'kafka:9092/path', want: undefined },
  { reason: 'nothing stands before it', given: 'kafka://kafka:9092', want: undefined },
  { reason: 'a user does not belong there', given: 'me@kafka:9092', want: undefined },
  { reason: 'an address of IPv6 needs brackets', given: 'fd00::7:9092', want: undefined },
  { reason: 'brackets are closed', given: '[fd00::7:9092', want: undefined },
  { reason: 'two are not one', given: 'a:1 b:2', want: undefined },
  { reason: 'spaces in brackets are no host', given: '[a b]:9092', want: undefined },
  { reason: 'nothing', given: '', want: undefined },
]);

table('this machine', isLoopback, [
  { reason: 'its name', given: 'localhost', want: true },
  { reason: 'its address of IPv6', given: '::1', want: true },
  { reason: 'the same, as URLs have it', given: '[::1]', want: true },
  { reason: 'any of its addresses of IPv4', given: '127.8.12.255', want: true },
  { reason: 'another machine', given: '10.0.0.7', want: false },
  { reason: 'a name that only begins like it', given: '127.0.0.1.example', want: false },
  { reason: 'an address that only ends like it', given: '10.127.0.0.1', want: false },
  { reason: 'a name that only ends like it', given: 'not-localhost', want: false },
]);

table('what nobody on the way can read', isPrivateUrl, [
  { reason: 'TLS, wherever it goes', given: 'https://elsewhere.example/path', want: true },
  { reason: 'plain, to this machine', given: 'http://localhost:4566', want: true },
  { reason: 'plain, to this machine by IPv6', given: 'http://[::1]:4566', want: true },
  { reason: 'plain, to another machine', given: 'http://elsewhere.example', want: false },
  { reason: 'another protocol, though to this machine', given: 'ftp://localhost', want: false },
  { reason: 'no URL', given: 'localhost', want: false },
]);
