-- The administration API needs a session to create these: its key (the hash of "only-for-a-test-only-for-a-tests"), a property of
-- clients that Debian's schema does not have, and the user's consent to each client.
INSERT INTO g_api_key (gak_token_hash, gak_username) VALUES ('{SHA512}8N2qNZsHRRJU-YkHIWnAmB_qY4nyHhvGtKkhrc3Xw_X86b3GsI403HaI1s5zW3i8oxjDOMg4C0UOSnrIRqGvJQ==', 'admin');
UPDATE g_client_module_instance SET gcmi_parameters =
  json_set(gcmi_parameters, '$.data-format.post_logout_redirect_uris', json('{"multiple":true,"read":true,"write":true}'));
INSERT INTO g_client_user_scope (gs_id, gcus_username, gcus_client_id)
  SELECT gs_id, 'ada', client FROM g_scope JOIN (SELECT 'app' AS client UNION SELECT 'intranet') WHERE gs_name = 'openid';
