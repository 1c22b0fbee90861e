//! How AWS is reached and how fast it is asked.

use super::operation::Service;
use super::pace::Rate;
use std::time::Duration;

/// How long a new role is waited for, unless the command line says otherwise; reports of others speak of about ten seconds (O).
const IAM_SETTLE: Duration = Duration::from_secs(10);

/// How long AWS may take to deploy what was written, unless the command line says otherwise (I).
const DEPLOY_SETTLE: Duration = Duration::from_secs(5);

/// What the command line says about AWS.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Region of objects that name none; else the environment's, the profile's or the instance's.
    pub region: Option<String>,
    /// Address of every service instead of AWS's own, for the sandbox.
    pub endpoint_url: Option<String>,
    /// Budget for API Gateway, per Region.
    pub apigateway: Rate,
    /// Budget for Lambda, per Region.
    pub lambda: Rate,
    /// Budget for IAM.
    pub iam: Rate,
    /// Budget for CloudWatch Logs, per Region.
    pub logs: Rate,
    /// Budget for STS.
    pub sts: Rate,
    /// How long IAM needs until a change works: no function is made under a role that is younger, and no route is led to what a
    /// younger change lets it invoke.
    pub iam_settle: Duration,
    /// How long AWS may take to deploy what was written: no endpoint is switched on sooner after it, and nothing is taken away
    /// that served before.
    pub deploy_settle: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: None,
            endpoint_url: None,
            apigateway: Rate::API_GATEWAY,
            lambda: Rate::LAMBDA,
            iam: Rate::IAM,
            logs: Rate::LOGS,
            sts: Rate::STS,
            iam_settle: IAM_SETTLE,
            deploy_settle: DEPLOY_SETTLE,
        }
    }
}

/// What is wrong with the configuration: one line that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// No Region is known.
    #[error("no AWS Region is configured: set --aws-region or AWS_REGION")]
    NoRegion,
    /// The endpoint is not an address.
    #[error("{0:?} is no endpoint for AWS: give a URL such as http://127.0.0.1:4566")]
    Endpoint(String),
    /// A rate is not a number that a budget can have.
    #[error("the budget of {0} is no rate: give requests a second, 0 for no limit")]
    Rate(&'static str),
    /// A proxy's variable holds no address. What it holds is not quoted: it may be a password.
    #[error("{0} is no address of a proxy: give a URL such as http://egress.example.com:3128, or unset it")]
    Proxy(&'static str),
    /// The authorities to trust cannot be read.
    #[error(
        "AWS_CA_BUNDLE cannot be used: {file}: {problem}; give a file of certificates in PEM, or unset it"
    )]
    Bundle {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl Settings {
    /// The budget for a service.
    pub(crate) const fn rate(&self, service: Service) -> Rate {
        match service {
            Service::ApiGateway => self.apigateway,
            Service::Lambda => self.lambda,
            Service::Iam => self.iam,
            Service::Logs => self.logs,
            Service::Sts => self.sts,
        }
    }

    /// Checks what can be checked without asking anybody.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if let Some(url) = &self.endpoint_url {
            let refused = || ConfigError::Endpoint(url.clone());
            let uri: http::Uri = url.parse().map_err(|_| refused())?;
            let http = matches!(uri.scheme_str(), Some("http" | "https"));
            if !http || uri.host().is_none_or(str::is_empty) || uri.query().is_some() {
                return Err(refused());
            }
        }
        let is_rate = |rate: Rate| rate.per_second.is_finite() && rate.per_second >= 0.0;
        Service::ALL
            .into_iter()
            .find(|service| !is_rate(self.rate(*service)))
            .map_or(Ok(()), |service| Err(ConfigError::Rate(service.title())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{aws::Aws, fence::Fence};
    use aws_config::SdkConfig;
    use prometheus_client::registry::Registry;

    #[test]
    fn without_a_region_nothing_can_be_asked() {
        let nowhere = SdkConfig::builder().build();
        let aws = Aws::new(
            nowhere,
            Settings::default(),
            Fence::open(),
            &mut Registry::default(),
        );
        assert_eq!(aws.unwrap_err(), ConfigError::NoRegion);
    }

    #[test]
    fn an_endpoint_is_an_http_address_with_a_host() {
        let with = |url: &str| Settings {
            endpoint_url: Some(url.into()),
            ..Settings::default()
        };
        for good in [
            "http://127.0.0.1:4566",
            "https://aws.example.com/",
            "http://[::1]:1",
        ] {
            assert_eq!(with(good).check(), Ok(()), "{good}");
        }
        for bad in [
            "",
            "127.0.0.1:4566",
            "ftp://x",
            "http://",
            "http://a b",
            "http://x/?a=1",
        ] {
            assert_eq!(with(bad).check(), Err(ConfigError::Endpoint(bad.into())), "{bad}");
        }
    }

    #[test]
    fn a_rate_is_a_number_not_below_zero() {
        for bad in [-1.0, f64::NAN, f64::INFINITY] {
            let settings = Settings {
                lambda: Rate {
                    per_second: bad,
                    burst: 1,
                },
                ..Settings::default()
            };
            assert_eq!(settings.check(), Err(ConfigError::Rate("Lambda")));
        }
    }
}
