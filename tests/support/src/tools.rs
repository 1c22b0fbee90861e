//! The real Kubernetes programs, built once from the Go modules pinned in `tests/tools`.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

use crate::{Error, command, places, warden};

/// Counts up when the way of building below changes, so that an old cache is not taken for a new one.
const RECIPE: &str = "2";

/// Where the programs are.
#[derive(Debug, Clone)]
pub struct Tools {
    /// etcd.
    pub etcd: PathBuf,
    /// The API server.
    pub kube_apiserver: PathBuf,
    /// The controllers: deletion of namespaces, garbage collection, service accounts.
    pub kube_controller_manager: PathBuf,
    /// The command-line client.
    pub kubectl: PathBuf,
    /// Helm.
    pub helm: PathBuf,
}

impl Tools {
    /// Whether [`Tools::provide`] would answer at once.
    ///
    /// # Errors
    ///
    /// The pinned modules cannot be read.
    pub fn are_built() -> Result<bool, Error> {
        Ok(Recipe::read()?.directory()?.is_dir())
    }

    /// Finds the programs, and builds them first if this machine has not built them yet: minutes, once.
    ///
    /// The cache is `$JWTHTTPAPI_CACHE`, else `$XDG_CACHE_HOME/jwthttpapi`, else `~/.cache/jwthttpapi`. A program that is
    /// in `$KUBEBUILDER_ASSETS` is taken from there.
    ///
    /// # Errors
    ///
    /// Go is missing, the modules cannot be fetched, or the cache cannot be written.
    pub fn provide() -> Result<Self, Error> {
        let built = Recipe::read()?.provide()?;
        let assets = env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
        let place = |name: &str| {
            let asset = assets
                .as_ref()
                .map(|directory| directory.join(name))
                .filter(|path| path.is_file());
            asset.unwrap_or_else(|| built.join(name))
        };
        Ok(Self {
            etcd: place("etcd"),
            kube_apiserver: place("kube-apiserver"),
            kube_controller_manager: place("kube-controller-manager"),
            kubectl: place("kubectl"),
            helm: built.join("helm"),
        })
    }
}

/// What is built, and so what the cache is keyed by.
struct Recipe {
    modules: PathBuf,
    go_mod: String,
    go_sum: String,
}

impl Recipe {
    fn read() -> Result<Self, Error> {
        let modules = places::repository().join("tests/tools");
        let read =
            |name: &str| fs::read_to_string(modules.join(name)).map_err(Error::file(modules.join(name)));
        let (go_mod, go_sum) = (read("go.mod")?, read("go.sum")?);
        Ok(Self {
            modules,
            go_mod,
            go_sum,
        })
    }

    /// Where the programs of this recipe are; once it exists it is complete.
    fn directory(&self) -> Result<PathBuf, Error> {
        let key = Sha256::digest([RECIPE, &self.go_mod, &self.go_sum].join("\n"));
        let key = key
            .iter()
            .take(6)
            .fold(String::new(), |key, byte| key + &format!("{byte:02x}"));
        Ok(cache_root()?.join(format!("kubernetes-{key}")))
    }

    /// Builds the programs unless they are there; of several processes that try, one does it and the others wait.
    fn provide(&self) -> Result<PathBuf, Error> {
        let complete = self.directory()?;
        if complete.is_dir() {
            return Ok(complete);
        }
        let root = cache_root()?;
        fs::create_dir_all(&root).map_err(Error::file(&root))?;
        let lock_path = root.join("kubernetes.lock");
        let lock = File::create(&lock_path).map_err(Error::file(&lock_path))?;
        lock.lock().map_err(Error::file(&lock_path))?;
        // Somebody else may have built it while this process waited for the lock.
        if !complete.is_dir() {
            let partial = tempfile::tempdir_in(&root).map_err(Error::file(&root))?;
            warden::watch_directory(partial.path())?;
            build(&self.modules, &self.go_mod, partial.path())?;
            // Renamed as the last act: whoever sees the directory sees all of it.
            fs::rename(partial.path(), &complete).map_err(Error::file(&complete))?;
        }
        Ok(complete)
    }
}

fn cache_root() -> Result<PathBuf, Error> {
    let named = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    named("JWTHTTPAPI_CACHE")
        .or_else(|| Some(named("XDG_CACHE_HOME")?.join("jwthttpapi")))
        .or_else(|| Some(named("HOME")?.join(".cache/jwthttpapi")))
        .ok_or_else(|| Error::document("cache directory", "set JWTHTTPAPI_CACHE or HOME"))
}

fn build(modules: &Path, go_mod: &str, target: &Path) -> Result<(), Error> {
    let version = kubernetes_version(go_mod)?;
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (
        numbers.next().unwrap_or_default(),
        numbers.next().unwrap_or_default(),
    );
    let variable = "-X k8s.io/component-base/version.";
    let flags =
        format!("-s -w {variable}gitVersion={version} {variable}gitMajor={major} {variable}gitMinor={minor}");
    let mut go = Command::new("go");
    go.arg("-C")
        .arg(modules)
        .args([
            "build",
            "-trimpath",
            "-buildvcs=false",
            "-mod=readonly",
            "-ldflags",
            &flags,
            "-o",
        ])
        .arg(target)
        .arg("tool")
        .env("CGO_ENABLED", "0")
        .env("GOWORK", "off");
    command::run(&mut go, None)?;
    // etcd's main package is called `server`, and so is its program.
    fs::rename(target.join("server"), target.join("etcd")).map_err(Error::file(target))
}

fn kubernetes_version(go_mod: &str) -> Result<&str, Error> {
    let required = go_mod
        .lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "));
    let version = required.and_then(|rest| rest.split_whitespace().next());
    version.ok_or_else(|| Error::document("tests/tools/go.mod", "requires no k8s.io/kubernetes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_the_api_server_reports_is_the_module_s() {
        let go_mod = "require (\n\tk8s.io/kubelet v0.0.1\n\tk8s.io/kubernetes v1.36.3 // indirect\n)";
        assert_eq!(kubernetes_version(go_mod).unwrap(), "v1.36.3");
    }
}
