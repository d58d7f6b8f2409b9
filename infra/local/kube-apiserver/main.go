// kube-apiserver with etcd inside: one process, one directory of data. It takes every flag of kube-apiserver and two of
// its own: where etcd keeps its data, and the unix socket it listens on. etcd does not wait for the disk, so its data
// survives the end of this process, however violent, but not a crash of the machine.
package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // request metrics of the loopback client
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

const etcdStartTimeout = 30 * time.Second

func main() {
	command := app.NewAPIServerCommand()
	dir := command.Flags().String("etcd-dir", "", "directory of etcd's data")
	socket := command.Flags().String("etcd-socket", "", "unix socket of etcd: at most 100 characters")
	var etcd *embed.Etcd
	command.PreRunE = func(command *cobra.Command, _ []string) (err error) {
		if etcd, err = startEtcd(*dir, *socket); err != nil {
			return fmt.Errorf("etcd: %w", err)
		}
		return command.Flags().Set("etcd-servers", "unix://"+*socket)
	}
	code := cli.Run(command)
	if etcd != nil {
		etcd.Close()
	}
	os.Exit(code)
}

// startEtcd returns when etcd serves. A socket left behind by a process that was killed is replaced.
func startEtcd(dir, socket string) (*embed.Etcd, error) {
	if dir == "" || socket == "" {
		return nil, errors.New("--etcd-dir and --etcd-socket are required")
	}
	etcd, err := embed.StartEtcd(etcdConfig(dir, socket))
	if err != nil {
		return nil, err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		go exitWith(etcd)
		return etcd, nil
	case err = <-etcd.Err():
	case <-time.After(etcdStartTimeout):
		err = fmt.Errorf("not ready after %s", etcdStartTimeout)
	}
	etcd.Close()
	return nil, err
}

func etcdConfig(dir, socket string) *embed.Config {
	config := embed.NewConfig()
	config.Dir = dir
	config.LogLevel = "warn"
	config.UnsafeNoFsync = true
	config.QuotaBackendBytes = 8 << 30
	config.WarningUnaryRequestDuration = embed.DefaultWarningUnaryRequestDuration // else each request is logged as slow
	// The URLs to advertise stay as they are: they must have a port, and a single member never dials them.
	config.ListenClientUrls = unixURL(socket)
	config.ListenPeerUrls = unixURL(socket + ".peer")
	return config
}

func unixURL(path string) []url.URL {
	return []url.URL{{Scheme: "unix", Path: path}}
}

// exitWith ends the process when etcd fails: an API server without storage only hangs.
func exitWith(etcd *embed.Etcd) {
	if err, open := <-etcd.Err(); open {
		fmt.Fprintln(os.Stderr, "etcd failed:", err)
		os.Exit(1)
	}
}
