//! Somebody else who works in the same account of AWS.

use super::{ground::Ground, process::config};

impl Ground {
    /// Somebody else, to API Gateway.
    pub(super) fn gateway(&self) -> aws_sdk_apigatewayv2::Client {
        aws_sdk_apigatewayv2::Client::new(&config(&self.sandbox, "AKIDSTRANGER"))
    }

    /// The same, to IAM.
    pub(super) fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&config(&self.sandbox, "AKIDSTRANGER"))
    }

    /// The same, to Lambda.
    pub(super) fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&config(&self.sandbox, "AKIDSTRANGER"))
    }

    /// The same, to CloudWatch Logs.
    pub(super) fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        aws_sdk_cloudwatchlogs::Client::new(&config(&self.sandbox, "AKIDSTRANGER"))
    }
}
