//! Every kind is created, paged, updated and deleted through the SDK.

use aws_sdk_apigatewayv2::types::AuthorizationType;
use aws_sdk_lambda::{
    primitives::Blob,
    types::{FunctionCode, Runtime},
};
use jwthttpapi_sandbox::SMALLEST_ARCHIVE;
use serde_json::json;

use crate::clients::{
    FUNCTION, create_api, create_authorizer, create_integration, functions, gateway, iam, refused, sandbox,
    sts, trust,
};

/// Reads all pages of a list and gives the sizes of the pages.
macro_rules! pages {
    ($request:expr) => {{
        let mut sizes = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = $request.set_next_token(token).send().await.unwrap();
            sizes.push(page.items().len());
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                break sizes;
            }
        }
    }};
}

#[tokio::test(start_paused = true)]
async fn apis() {
    let client = gateway(&sandbox(json!({ "page_size": 2 })));
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(create_api(&client).await);
    }
    assert_eq!(pages!(client.get_apis()), [2, 2, 1]);
    assert_eq!(pages!(client.get_apis().max_results("1")), [1, 1, 1, 1, 1]);
    let updated = client
        .update_api()
        .api_id(&ids[0])
        .name("other")
        .send()
        .await
        .unwrap();
    assert_eq!(updated.name(), Some("other"));
    for id in &ids {
        client.delete_api().api_id(id).send().await.unwrap();
    }
    assert_eq!(pages!(client.get_apis()), [0]);
    let code = refused(client.get_api().api_id(&ids[0]).send().await);
    assert_eq!(code, (404, "NotFoundException".into()));
}

#[tokio::test(start_paused = true)]
async fn children_of_an_api() {
    let client = gateway(&sandbox(json!({ "page_size": 2 })));
    let api = create_api(&client).await;
    let integration = create_integration(&client, &api).await;
    let authorizer = create_authorizer(&client, &api, "default").await;
    for n in 0..3 {
        create_integration(&client, &api).await;
        create_authorizer(&client, &api, &n.to_string()).await;
        let route = client.create_route().api_id(&api).route_key(format!("GET /{n}"));
        let route = route
            .target(format!("integrations/{integration}"))
            .authorization_type(AuthorizationType::Jwt);
        route
            .authorizer_id(&authorizer)
            .authorization_scopes("read")
            .send()
            .await
            .unwrap();
        client
            .create_stage()
            .api_id(&api)
            .stage_name(format!("stage_{n}"))
            .auto_deploy(true)
            .send()
            .await
            .unwrap();
    }
    assert_eq!(pages!(client.get_integrations().api_id(&api)), [2, 2]);
    assert_eq!(pages!(client.get_authorizers().api_id(&api)), [2, 2]);
    assert_eq!(pages!(client.get_routes().api_id(&api)), [2, 1]);
    assert_eq!(pages!(client.get_stages().api_id(&api)), [2, 1]);

    let stage = client
        .get_stage()
        .api_id(&api)
        .stage_name("stage_0")
        .send()
        .await
        .unwrap();
    let text = format!(
        "Successfully deployed stage with deployment ID '{}'",
        stage.deployment_id().unwrap()
    );
    assert_eq!(stage.last_deployment_status_message(), Some(text.as_str()));

    let second = client
        .create_route()
        .api_id(&api)
        .route_key("GET /0")
        .send()
        .await;
    assert_eq!(refused(second), (409, "ConflictException".into()));
    let in_use = client
        .delete_integration()
        .api_id(&api)
        .integration_id(&integration)
        .send()
        .await;
    assert_eq!(refused(in_use), (409, "ConflictException".into()));
    let in_use = client
        .delete_authorizer()
        .api_id(&api)
        .authorizer_id(&authorizer)
        .send()
        .await;
    assert_eq!(refused(in_use), (409, "ConflictException".into()));

    for route in client.get_routes().api_id(&api).send().await.unwrap().items() {
        let id = route.route_id().unwrap();
        let opened = client
            .update_route()
            .api_id(&api)
            .route_id(id)
            .authorization_type(AuthorizationType::None);
        let opened = opened
            .authorizer_id("")
            .set_authorization_scopes(Some(Vec::new()))
            .send()
            .await
            .unwrap();
        assert_eq!(
            (opened.authorizer_id(), opened.authorization_scopes().len()),
            (None, 0)
        );
        client
            .delete_route()
            .api_id(&api)
            .route_id(id)
            .send()
            .await
            .unwrap();
    }
    client
        .delete_stage()
        .api_id(&api)
        .stage_name("stage_0")
        .send()
        .await
        .unwrap();
    client.delete_api().api_id(&api).send().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn tags() {
    let client = gateway(&sandbox(json!({})));
    let api = create_api(&client).await;
    client
        .create_stage()
        .api_id(&api)
        .stage_name("$default")
        .send()
        .await
        .unwrap();
    for arn in [
        format!("arn:aws:apigateway:eu-central-1::/apis/{api}"),
        format!("arn:aws:apigateway:eu-central-1::/apis/{api}/stages/$default"),
    ] {
        client
            .tag_resource()
            .resource_arn(&arn)
            .tags("jwthttpapi.dev/uid", "1")
            .tags("b", "2")
            .send()
            .await
            .unwrap();
        client
            .untag_resource()
            .resource_arn(&arn)
            .tag_keys("b")
            .send()
            .await
            .unwrap();
        let tags = client.get_tags().resource_arn(&arn).send().await.unwrap();
        assert_eq!(tags.tags().unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn functions_and_permissions() {
    let sandbox = sandbox(json!({ "function_role_must_be_assumable": false }));
    let client = functions(&sandbox);
    let created = client
        .create_function()
        .function_name("hello")
        .runtime(Runtime::Nodejs22x)
        .role("arn:aws:iam::123456789012:role/execution")
        .handler("index.handler")
        .code(
            FunctionCode::builder()
                .zip_file(Blob::new(SMALLEST_ARCHIVE))
                .build(),
        )
        .send()
        .await
        .unwrap();
    assert_eq!(created.function_arn(), Some(FUNCTION));
    client
        .publish_version()
        .function_name("hello")
        .send()
        .await
        .unwrap();
    client
        .create_alias()
        .function_name("hello")
        .name("live")
        .function_version("1")
        .send()
        .await
        .unwrap();
    let add = || {
        let request = client
            .add_permission()
            .function_name("hello")
            .qualifier("live")
            .statement_id("s");
        request
            .action("lambda:InvokeFunction")
            .principal("apigateway.amazonaws.com")
            .source_arn("arn:aws:x")
    };
    add().send().await.unwrap();
    assert_eq!(
        refused(add().send().await),
        (409, "ResourceConflictException".into())
    );
    let policy = client
        .get_policy()
        .function_name(format!("{FUNCTION}:live"))
        .send()
        .await
        .unwrap();
    assert!(
        policy
            .policy()
            .unwrap()
            .contains(r#""AWS:SourceArn":"arn:aws:x""#)
    );
    let none = client.get_policy().function_name("hello").send().await;
    assert_eq!(refused(none), (404, "ResourceNotFoundException".into()));
    let remove = || {
        client
            .remove_permission()
            .function_name("hello")
            .qualifier("live")
            .statement_id("s")
    };
    remove().send().await.unwrap();
    assert_eq!(
        refused(remove().send().await),
        (404, "ResourceNotFoundException".into())
    );
    client
        .delete_function()
        .function_name("hello")
        .send()
        .await
        .unwrap();
    let gone = client
        .get_function_configuration()
        .function_name("hello")
        .send()
        .await;
    assert_eq!(refused(gone), (404, "ResourceNotFoundException".into()));
}

#[tokio::test(start_paused = true)]
async fn roles_and_policies() {
    let client = iam(&sandbox(json!({ "page_size": 2 })));
    let create = |name: &str| {
        let document = trust("apigateway.amazonaws.com");
        client
            .create_role()
            .role_name(name)
            .path("/jwthttpapi/")
            .assume_role_policy_document(document)
    };
    for name in ["a", "b", "c"] {
        create(name).send().await.unwrap();
    }
    assert_eq!(
        refused(create("A").send().await),
        (409, "EntityAlreadyExists".into())
    );
    let first = client.list_roles().send().await.unwrap();
    assert_eq!((first.roles().len(), first.is_truncated()), (2, true));
    let second = client
        .list_roles()
        .marker(first.marker().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!((second.roles().len(), second.is_truncated()), (1, false));
    let document = r#"{"Statement":{"Effect":"Allow","Action":"lambda:InvokeFunction","Resource":"*"}}"#;
    client
        .put_role_policy()
        .role_name("a")
        .policy_name("p")
        .policy_document(document)
        .send()
        .await
        .unwrap();
    let read = client
        .get_role_policy()
        .role_name("a")
        .policy_name("p")
        .send()
        .await
        .unwrap();
    assert!(read.policy_document().starts_with("%7B%22Statement%22"));
    assert_eq!(
        refused(client.delete_role().role_name("a").send().await),
        (409, "DeleteConflict".into())
    );
    client
        .delete_role_policy()
        .role_name("a")
        .policy_name("p")
        .send()
        .await
        .unwrap();
    client.delete_role().role_name("a").send().await.unwrap();
    assert_eq!(
        refused(client.get_role().role_name("a").send().await),
        (404, "NoSuchEntity".into())
    );
}

#[tokio::test(start_paused = true)]
async fn the_callers_identity() {
    let client = sts(&sandbox(json!({})));
    let identity = client.get_caller_identity().send().await.unwrap();
    assert_eq!(identity.account(), Some("123456789012"));
    assert_eq!(identity.arn(), Some("arn:aws:iam::123456789012:user/sandbox"));
}
